"""What keyring asks of every backend."""

import pytest
from keyring.testing.backend import BackendBasicTests


class KeyringContract(BackendBasicTests):
    """keyring's own tests; but where it expects its backend of Windows to fail, ours does not."""

    def test_empty_username(self) -> None:
        with pytest.deprecated_call():
            self.set_password("service1", "", "password1")  # type: ignore[no-untyped-call]  # keyring has no types here
        assert self.keyring.get_password("service1", "") == "password1"
