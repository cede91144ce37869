"""What the error codes of the macOS Keychain and the Windows Credential Manager mean.

keyring and msal-extensions pass on the number, and at most an English name for it.
"""

from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """An error code in words.

    Attributes:
        message: what happened.
        hint: what to do about it.
    """

    message: str
    hint: str


_KEYCHAIN: Final = {
    -128: Meaning(  # userCanceledErr, errSecUserCanceled
        "macOS denied access to the Keychain",
        "run the command again, and choose Always Allow when macOS asks",
    ),
    -25244: Meaning(  # errSecInvalidOwnerEdit
        "the Keychain entry belongs to another program, often to an earlier Python",
        "delete the entry in Keychain Access (its name begins with azdo-pat), and try again",
    ),
    -25291: Meaning(  # errSecNotAvailable
        "no Keychain is available",
        "macOS has one for a user who is logged in, not for a daemon;"
        " to see yours: security list-keychains",
    ),
    -25293: Meaning(  # errSecAuthFailed
        "the Keychain rejected the password or this Python",
        "run: security unlock-keychain; if that does not help: open a new terminal,"
        " or reinstall Python, whose signature may be damaged",
    ),
    -25300: Meaning(  # errSecItemNotFound
        "the Keychain entry disappeared during the operation",
        "another program may have deleted it; try again",
    ),
    -25308: Meaning(  # errSecInteractionNotAllowed
        "the Keychain is locked, and macOS cannot ask for its password here",
        "over SSH, in screen and in jobs, first run: security unlock-keychain",
    ),
    -34018: Meaning(  # errSecMissingEntitlement
        "macOS does not let this Python use the Keychain",
        "run pat in Terminal, with a Python from python.org or Homebrew that is not part of"
        " another program",
    ),
    -67030: Meaning(  # errSecCSInfoPlistFailed
        "macOS rejected the code signature of this Python",
        "reinstall Python, or sign it: codesign --force --sign - PATH-OF-PYTHON",
    ),
}

_CREDENTIAL_MANAGER: Final = {
    5: Meaning(  # ERROR_ACCESS_DENIED
        "Windows denied access to the Credential Manager",
        "run pat as the user who is signed in; a policy of the organization or a security program"
        " may also forbid it",
    ),
    8: Meaning(  # ERROR_NOT_ENOUGH_MEMORY
        "the Windows Credential Manager is full",
        "delete entries that no program needs; to list them: cmdkey /list",
    ),
    1168: Meaning(  # ERROR_NOT_FOUND
        "the Windows Credential Manager lost the entry during the operation",
        "another program may have deleted it; try again",
    ),
    1312: Meaning(  # ERROR_NO_SUCH_LOGON_SESSION, from CredWrite over SSH
        "the Windows Credential Manager is not available in this logon session",
        "it needs an interactive sign-in, or one over SSH with a password, not a key",
    ),
    1783: Meaning(  # RPC_X_BAD_STUB_DATA, from CredWrite beyond 2560 bytes
        "the secret is too long for the Windows Credential Manager",
        "it accepts 1280 characters; a personal access token has at most 84",
    ),
}


def keychain_meaning(status: int) -> Meaning:
    """Return what a status of macOS's Security framework means; the message has the status."""
    unknown = Meaning("the macOS Keychain failed", f"for its meaning: security error {status}")
    return _with_code(status, _KEYCHAIN.get(status, unknown))


def credential_manager_meaning(code: int) -> Meaning:
    """Return what an error code of Windows' Credential Manager means; the message has the code."""
    unknown = Meaning(
        "the Windows Credential Manager failed", f"to see its meaning, run: net helpmsg {code}"
    )
    return _with_code(code, _CREDENTIAL_MANAGER.get(code, unknown))


def _with_code(code: int, meaning: Meaning) -> Meaning:
    return meaning._replace(message=f"{meaning.message} (error {code})")
