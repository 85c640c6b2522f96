"""The letters as a picture: each rotated, slanted and sized at random, crossed by strokes of the same colour."""

from functools import cache
from io import BytesIO
from random import Random

from PIL import Image, ImageDraw, ImageFont

SIZE = (240, 70)
_INK, _PAPER = (10, 19, 45), (255, 255, 255)
_CELL = 72


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _letter(letter: str, random: Random) -> Image.Image:
    """Return a mask of one letter, rotated and slanted."""
    cell = Image.new("L", (_CELL, _CELL))
    font = _font(random.choice((38, 41, 44)))
    ImageDraw.Draw(cell).text((_CELL / 2, _CELL / 2), letter, fill=255, font=font, anchor="mm", stroke_width=1)
    slant = random.uniform(-0.25, 0.25)
    cell = cell.transform(
        cell.size, Image.Transform.AFFINE, (1, slant, -slant * _CELL / 2, 0, 1, 0), Image.Resampling.BICUBIC
    )
    return cell.rotate(random.uniform(-24, 24), Image.Resampling.BICUBIC)


def painted(letters: str, random: Random) -> bytes:
    """Return the letters as a PNG."""
    image = Image.new("RGB", SIZE, _PAPER)
    spacing = (SIZE[0] - 16) / len(letters)
    for index, letter in enumerate(letters):
        centre = 8 + spacing * (index + 0.5) + random.uniform(-3, 3)
        corner = (round(centre - _CELL / 2), round((SIZE[1] - _CELL) / 2 + random.uniform(-8, 8)))
        image.paste(_INK, corner, _letter(letter, random))
    pen = ImageDraw.Draw(image)
    for _ in range(4):
        left, top = random.randint(-60, SIZE[0] - 60), random.randint(-20, SIZE[1] - 20)
        box = (left, top, left + random.randint(80, 200), top + random.randint(20, 60))
        pen.arc(box, random.randint(0, 180), random.randint(200, 360), fill=_INK, width=2)
    for _ in range(120):
        pen.point((random.randrange(SIZE[0]), random.randrange(SIZE[1])), fill=_INK)
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
