"""A Secret Service that does not find its only item when it is first asked for it.

gnome-keyring does so once in a long while, when it has just reloaded its file. Run as a program,
with the D-Bus address in the environment; it prints a line when it can be asked.
"""

import sys
from typing import Any

from jeepney import (  # type: ignore[import-untyped]  # jeepney carries no types
    HeaderFields,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
)
from jeepney.io.blocking import (  # type: ignore[import-untyped]  # as above
    DBusConnection,
    open_dbus_connection,
)

COLLECTION = "/org/freedesktop/secrets/collection/login"
SECRET = "s3cret"
ANSWERS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "ReadAlias": ("o", (COLLECTION,)),
    "Get": ("v", (("b", False),)),
    "OpenSession": ("vo", (("s", ""), "/org/freedesktop/secrets/session/s0")),
    "GetSecret": (
        "(oayays)",
        (("/org/freedesktop/secrets/session/s0", b"", SECRET.encode(), "text/plain"),),
    ),
}


def serve(connection: DBusConnection) -> None:
    """Answer until the connection ends."""
    searches = 0
    while True:
        message = connection.receive()
        if message.header.message_type is not MessageType.method_call:
            continue
        method = message.header.fields[HeaderFields.member]
        if method == "SearchItems":
            searches += 1
            found = [f"{COLLECTION}/1"] if searches > 1 else []
            connection.send(new_method_return(message, "aoao", (found, [])))
        elif method in ANSWERS:
            connection.send(new_method_return(message, *ANSWERS[method]))
        else:
            connection.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod"))


if __name__ == "__main__":
    with open_dbus_connection() as bus:
        bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.secrets"))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        serve(bus)
