"""The keys of the locks on a token's name."""


def lock_key(name: str, org_url: str) -> str:
    """Return the key of the lock that is held while a token or its secret is changed.

    Errors show it.
    """
    return f"{name!r} in {org_url}"


def renewal_lock_key(name: str, org_url: str) -> str:
    """Return the key of the lock for which processes wait that ensure or renew one token.

    The next one then finds it done.
    """
    return f"ensure {name!r} in {org_url}"
