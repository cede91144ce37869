"""The locks on a name, held while its secret or its token is changed."""


def lock_key(name: str, org_url: str) -> str:
    """Return the key of the lock on a token's name in an organization, as errors show it."""
    return f"{name!r} in {org_url}"


def turn_key(name: str, org_url: str) -> str:
    """Return the key by which processes take turns that ensure or renew one token.

    The others wait, and then find it done.
    """
    return f"ensure {name!r} in {org_url}"
