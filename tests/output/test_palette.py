"""The colors can be read on a black and on a white background."""

import pytest

from azdo_pat.output.palette import Paint

LEVELS = (0, 95, 135, 175, 215, 255)


def channels(number: int) -> tuple[int, int, int]:
    """Return red, green and blue of one of the fixed 240 of the 256 colors of a terminal."""
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    cube = number - 16
    return LEVELS[cube // 36], LEVELS[cube // 6 % 6], LEVELS[cube % 6]


def luminance(number: int) -> float:
    """Return the relative luminance (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    parts = [each / 255 for each in channels(number)]
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("paint", Paint)
def test_contrast(paint: Paint) -> None:
    own = luminance(paint.value) + 0.05
    assert own / 0.05 > 3.8
    assert 1.05 / own > 3.8
