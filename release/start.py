"""Where PyInstaller's single folder starts, as it takes a script and no entry point."""

from azdo_pat.__main__ import bundled

bundled()
