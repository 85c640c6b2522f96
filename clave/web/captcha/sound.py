"""The spoken letters: for each, a Spanish word that starts with it, over babble and noise.

No two challenges sound alike: word, voice, speed, pitch, loudness, timbre, echo, gaps and background are randomised
for each. The clips come from `words.zip` (8 kHz, 8 bits, mono; made by script/record-captcha).
"""

import wave
import zipfile
from functools import cache
from io import BytesIO
from operator import mul
from pathlib import Path
from random import Random

RATE = 8000
ARCHIVE = Path(__file__).parent / "words.zip"
_UNIT_SPEED = 1024  # a speed of 1, in fixed point
_LOWEST, _HIGHEST, _JITTER = 780, 1310, 50
_SLOW, _FAST = 0.58, 1.5
_HOP, _SEARCH = 120, 40
_STREAMS = 4
_MIDDLE = 128
# Clipping table: maps a sum of samples to eight bits.
_RANGE = 2048
_CLIP_TABLE = bytes(max(0, min(255, value - _RANGE // 2 + _MIDDLE)) for value in range(_RANGE))
# Root mean square of a word, out of 127; the clips have the same.
LOUDNESS = 22
# Background: loudness of each babble voice relative to a word, and amplitude of the noise (out of 127).
BABBLE = 0.25
NOISE = 5


@cache
def takes() -> dict[str, dict[str, list[str]]]:
    """Return the names of the clips by letter and word."""
    clips: dict[str, dict[str, list[str]]] = {}
    with zipfile.ZipFile(ARCHIVE) as archive:
        for name in archive.namelist():
            word = name.split("/")[0]
            clips.setdefault(word[0].upper().replace("Á", "A"), {}).setdefault(word, []).append(name)
    return clips


def _scaled(clip: bytes, gain: float) -> bytes:
    return clip.translate(bytes(max(0, min(255, round((value - _MIDDLE) * gain) + _MIDDLE)) for value in range(256)))


def _revoiced(samples: bytes, random: Random) -> list[int]:
    """Return the samples (-128 to 127) in another voice: pitch and formants shifted together, with slight jitter."""
    position, last = 0, (len(samples) - 1) * _UNIT_SPEED
    centre = random.randint(_LOWEST, _HIGHEST)
    revoiced: list[int] = []
    while position < last:
        step = centre + random.randint(-_JITTER, _JITTER)
        places = range(position, min(last, position + step * random.randint(250, 700)), step)
        revoiced += [
            samples[i >> 10] + ((samples[(i >> 10) + 1] - samples[i >> 10]) * (i & 1023) >> 10) - _MIDDLE
            for i in places
        ]
        position = places[-1] + step
    return revoiced


def _stretched(samples: list[int], random: Random) -> list[int]:
    """Return the samples at varying tempo but unchanged pitch (WSOLA, Verhelst and Roelands 1993)."""
    out = samples[:_HOP]
    position, tempo, tail = 0.0, random.uniform(_SLOW, _FAST), samples[_HOP : 2 * _HOP]
    while len(tail) == _HOP:
        if random.random() < 0.15:
            tempo = random.uniform(_SLOW, _FAST)
        position += _HOP * tempo
        target, probe = int(position), tail[::6]
        starts = range(max(0, target - _SEARCH), target + _SEARCH, 4)
        best = max(starts, key=lambda start: sum(map(mul, probe, samples[start : start + _HOP : 6])))
        fresh = samples[best : best + _HOP]
        out += [old + (new - old) * ramp // _HOP for ramp, (old, new) in enumerate(zip(tail, fresh, strict=False))]
        tail = samples[best + _HOP : best + 2 * _HOP]
    return out


def _coloured(samples: list[int], random: Random) -> list[int]:
    """Return the samples at a random loudness, with a strong reflection (as of another telephone) and an echo."""
    tilt, reflection, echo = random.uniform(-0.6, 0.6), random.uniform(0.3, 0.6), random.uniform(0.15, 0.4)
    before = [0, *samples]
    reflected = [0] * random.randint(3, 14) + samples
    echoed = [0] * random.randint(80, 500) + samples
    reflection *= random.choice((-1, 1))
    coloured = [
        sample + tilt * previous + reflection * reflected_sample + echo * echoed_sample
        for sample, previous, reflected_sample, echoed_sample in zip(samples, before, reflected, echoed, strict=False)
    ]
    level = random.uniform(0.9, 1.1) * LOUDNESS / (sum(map(mul, coloured, coloured)) / len(coloured)) ** 0.5
    return [int(value * level) for value in coloured]


def speech(letters: str, archive: zipfile.ZipFile, random: Random) -> tuple[list[int], list[tuple[int, int, str]]]:
    """Return the samples of the words alone, and for each clip its start, its end and its name."""
    samples: list[int] = [0] * random.randint(2000, 4000)
    spans = []
    for letter in letters:
        name = random.choice(random.choice(list(takes()[letter].values())))
        revoiced = _revoiced(archive.read(name), random)
        start = len(samples)
        samples += _coloured(_stretched(revoiced, random), random)
        spans.append((start, len(samples), name))
        samples += [0] * random.randint(2000, 4400)
    return samples, spans


def _babble(length: int, archive: zipfile.ZipFile, random: Random) -> bytes:
    """Return unintelligible speech: clips played backwards, one after another, at other speeds."""
    names = archive.namelist()
    stream = bytearray()
    while len(stream) < length:
        clip = _scaled(archive.read(random.choice(names))[::-1], BABBLE * random.uniform(0.7, 1.3))
        step = random.randint(_LOWEST, _HIGHEST)
        stream += bytes([clip[i >> 10] for i in range(0, len(clip) * _UNIT_SPEED, step)])
    return bytes(stream[:length])


def mixed(letters: str, random: Random) -> bytes:
    """Return the samples (8 bits, unsigned, 8 kHz) of the spoken letters over the background."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        words, _ = speech(letters, archive, random)
        length = len(words)
        babble = [_babble(length, archive, random) for _ in range(_STREAMS)]
    grain = random.randbytes(length + 1).translate(bytes(value * NOISE // 128 for value in range(256)))
    centre = _RANGE // 2 - _STREAMS * _MIDDLE - NOISE * 2 + 1
    return bytes(
        [
            _CLIP_TABLE[word + a + b + c + d + grain_1 + grain_2 + centre]
            for word, a, b, c, d, grain_1, grain_2 in zip(words, *babble, grain, grain[1:], strict=False)
        ]
    )


def spoken(letters: str, random: Random) -> bytes:
    """Return the letters as a WAV file."""
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(RATE)
        out.writeframes(mixed(letters, random))
    return file.getvalue()
