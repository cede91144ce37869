"""Reads secrets from the freedesktop Secret Service, directly over D-Bus.

keyring and SecretStorage take 200 ms for what takes 50 here, mostly to import their
dependencies, cryptography among them. So reading, the one thing that happens every time git or a
script asks, does not use them; every special case is left to them.

No property is read on the way to a secret that is there: gnome-keyring 42 aborts where it is asked
for one of a collection that it is reloading because another program stored something.

The item is the one that keyring's own backend finds: in the default collection, by the attributes
`service` and `username` (source: `keyring/backends/SecretService.py`). It travels over the session
bus in a `plain` session: a socket of this user alone, where anyone who could listen could ask for
the secret as well (specification: https://specifications.freedesktop.org/secret-service/,
"Transfer of Secrets").
"""

from typing import Any, Final

from jeepney import (  # type: ignore[import-untyped]  # jeepney carries no types
    DBusAddress,
    MessageType,
    Properties,
    new_method_call,
)
from jeepney.io.blocking import (  # type: ignore[import-untyped]  # as above
    DBusConnection,
    open_dbus_connection,
)

_BUS_NAME: Final = "org.freedesktop.secrets"
_INTERFACE: Final = "org.freedesktop.Secret."
_SERVICE: Final = DBusAddress("/org/freedesktop/secrets", _BUS_NAME, f"{_INTERFACE}Service")
_DEFAULT: Final = DBusAddress(
    "/org/freedesktop/secrets/aliases/default", _BUS_NAME, f"{_INTERFACE}Collection"
)


class DirectReadError(Exception):
    """A direct read is not possible: locked, no such collection, no such service."""


def read(service: str, username: str) -> str | None:
    """Return the secret that keyring would return, or None if there is none.

    There is no time limit: the caller sets one.

    Raises:
        DirectReadError: the service did not return the secret directly.
        Exception: there is no bus, or it cannot be used.
    """
    with open_dbus_connection() as connection:
        query = _query(service, username)
        (collection,) = _call(connection, _SERVICE, "ReadAlias", "s", "default")
        (found, locked) = _call(connection, _SERVICE, "SearchItems", "a{ss}", query)
        items = [item for item in found if item.startswith(f"{collection}/")]
        if locked or not items:
            # It must be unlocked first; what it finds until then need not be all.
            if locked or _is_locked(connection):
                raise DirectReadError
            return None
        _, session = _call(connection, _SERVICE, "OpenSession", "sv", "plain", ("s", ""))
        item = DBusAddress(items[0], _BUS_NAME, f"{_INTERFACE}Item")
        ((_, _, value, _),) = _call(connection, item, "GetSecret", "o", session)
        return bytes(value).decode()


def has_collection() -> bool:
    """Return whether there is a default collection; True if that cannot be determined.

    There is no time limit: the caller sets one.
    """
    try:
        with open_dbus_connection() as connection:
            (collection,) = _call(connection, _SERVICE, "ReadAlias", "s", "default")
    except Exception:  # noqa: BLE001 - no bus, no service: keyring finds it out, and says so
        return True
    return bool(collection != "/")


def _query(service: str, username: str) -> dict[str, str]:
    return {"service": service, "username": username}


def _is_locked(connection: DBusConnection) -> bool:
    reply = connection.send_and_get_reply(Properties(_DEFAULT).get("Locked"))
    if reply.header.message_type is not MessageType.method_return:
        raise DirectReadError
    ((_, locked),) = reply.body
    return bool(locked)


def _call(
    connection: DBusConnection, target: DBusAddress, method: str, signature: str, *values: object
) -> Any:  # noqa: ANN401 - a D-Bus reply is whatever its signature says
    reply = connection.send_and_get_reply(new_method_call(target, method, signature, values))
    if reply.header.message_type is not MessageType.method_return:
        raise DirectReadError
    return reply.body
