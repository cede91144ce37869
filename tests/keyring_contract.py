"""What keyring asks of every backend."""

import warnings

from keyring.testing.backend import BackendBasicTests


class KeyringContract(BackendBasicTests):
    """keyring's own tests; but where it expects its backend of Windows to fail, ours does not."""

    def test_empty_username(self) -> None:
        with warnings.catch_warnings():  # newer versions of keyring advise against it
            warnings.simplefilter("ignore", DeprecationWarning)
            self.set_password("service1", "", "password1")  # type: ignore[no-untyped-call]  # keyring has no types here
        assert self.keyring.get_password("service1", "") == "password1"
