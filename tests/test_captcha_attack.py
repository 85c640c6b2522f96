"""Attackers who hold every clip of the spoken captcha and are told where each word begins (abuse case 49).

CAPTCHA_CHALLENGES=200 measures more than the few challenges of an ordinary run.
"""

import os
import zipfile
from collections.abc import Callable
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from clave.web.captcha import sound
from clave.web.captcha.tickets import LETTERS

pytestmark = [pytest.mark.slow, pytest.mark.storeless]

COUNT = int(os.environ.get("CAPTCHA_CHALLENGES", "0"))
WINDOW, HOP = 256, 80
Scores = dict[str, float]
Attacker = Callable[[np.ndarray, int, int], Scores]


def clips() -> list[tuple[str, np.ndarray]]:
    """Return (letter, samples) of every clip shipped."""
    with zipfile.ZipFile(sound.ARCHIVE) as archive:
        names = [(letter, name) for letter, words in sound.takes().items() for take in words.values() for name in take]
        return [(letter, np.frombuffer(archive.read(name), np.uint8).astype(float) - 128) for letter, name in names]


def at_speed(samples: np.ndarray, speed: float) -> np.ndarray:
    changed: np.ndarray = np.interp(np.arange(0, len(samples) - 1, speed), np.arange(len(samples)), samples)
    return changed


def challenge(seed: int) -> tuple[str, np.ndarray, np.ndarray, list[tuple[int, int, str]]]:
    """Return letters, what is heard, the words alone and where they are."""
    letters = "".join(Random(f"letters {seed}").choice(LETTERS) for _ in range(4))
    heard = np.frombuffer(sound.mixed(letters, Random(seed)), np.uint8).astype(float) - 128
    with zipfile.ZipFile(sound.ARCHIVE) as archive:
        words, spans = sound.speech(letters, archive, Random(seed))
    return letters, heard, np.array(words, float), spans


def mel_bank(bands: int = 28) -> np.ndarray:
    edges = 700 * (10 ** (np.linspace(150, 2110, bands + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / sound.RATE)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rising, falling), 0, None)


def log_mel(samples: np.ndarray) -> np.ndarray:
    padded = np.concatenate([np.zeros(WINDOW // 2), samples, np.zeros(WINDOW)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * np.hanning(WINDOW)
    energies: np.ndarray = np.log(np.abs(np.fft.rfft(frames)) ** 2 @ mel_bank().T + 3e4)
    return energies


def spectral_attacker(speeds: list[float]) -> Attacker:
    """Match the spectrogram of each clip (at these speeds) around the beginning of a word."""
    templates = []
    for letter, clip in clips():
        for speed in speeds:
            template = log_mel(at_speed(clip, speed))
            template -= template.mean()
            templates.append((letter, template / np.linalg.norm(template)))

    def scores(heard: np.ndarray, start: int, end: int) -> Scores:
        picture, best = log_mel(heard[max(0, start - 1200) : end + 4000]), dict.fromkeys(LETTERS, -1.0)
        middle = min(start, 1200) // HOP
        for letter, template in templates:
            for place in range(max(0, middle - 8), middle + 9, 2):
                part = picture[place : place + len(template)]
                if len(part) == len(template):
                    centred = part - part.mean()
                    best[letter] = max(best[letter], float((centred * template).sum() / np.linalg.norm(centred)))
        return best

    return scores


def correlating_attacker(speeds: list[float]) -> Attacker:
    """Correlate the wave of each clip at each speed (pitch and tempo together) with a word."""
    size, owners, waves = 8192, [], []
    for letter, clip in clips():
        for speed in speeds:
            wave = at_speed(clip, speed)[:6500]
            owners.append(LETTERS.index(letter))
            waves.append(np.conj(np.fft.rfft((wave - wave.mean()) / np.linalg.norm(wave), size)).astype(np.complex64))
    spectra, owner = np.array(waves), np.array(owners)

    def scores(heard: np.ndarray, start: int, end: int) -> Scores:
        before = max(0, start - 300)
        word = heard[before : min(end + 1200, before + size)]
        spectrum = np.fft.rfft(word, size).astype(np.complex64)
        peaks = np.concatenate(
            [
                np.abs(np.fft.irfft(spectra[first : first + 256] * spectrum, size)[:, :700]).max(1)
                for first in range(0, len(spectra), 256)
            ]
        )
        return {letter: float(peaks[owner == place].max()) for place, letter in enumerate(LETTERS)}

    return scores


def attack(attacker: Attacker, count: int) -> tuple[float, float]:
    """Return the parts of challenges solved whole and of letters found."""
    whole = found = 0
    for seed in range(count):
        letters, heard, _, spans = challenge(seed)
        guesses = []
        for start, end, _ in spans:
            scored = attacker(heard, start, end)
            guesses.append(max(scored, key=lambda letter: scored[letter]))
        whole += "".join(guesses) == letters
        found += sum(guess == letter for guess, letter in zip(guesses, letters, strict=True))
    print(f"{count} challenges: {whole} solved whole, {found} of {4 * count} letters")
    return whole / count, found / (4 * count)


@pytest.mark.abuse(49)
def test_matching_the_spectra_of_the_shipped_clips_solves_less_than_one_in_twenty() -> None:
    whole, letters = attack(spectral_attacker([1.0]), COUNT or 40)
    assert whole < 0.05
    assert letters**4 < 0.05


@pytest.mark.abuse(49)
def test_correlating_the_shipped_clips_at_many_speeds_solves_less_than_one_in_five() -> None:
    whole, letters = attack(correlating_attacker([0.8, 0.9, 1.0, 1.12, 1.25]), COUNT or 8)
    assert whole < 0.2
    assert letters**4 < 0.2


def test_the_background_leaves_each_word_well_above_it_and_apart_from_the_next() -> None:
    ratios, gaps = [], []
    for seed in range(20):
        _, heard, words, spans = challenge(seed)
        for start, end, _ in spans:
            ratios.append(10 * np.log10((words[start:end] ** 2).mean() / ((heard - words)[start:end] ** 2).mean()))
        gaps += [(after[0] - before[1]) / sound.RATE for before, after in pairwise(spans)]
    print(
        f"signal to noise in words: mean {np.mean(ratios):.1f} dB, least {min(ratios):.1f} dB; least gap {min(gaps):.2f} s"
    )
    assert np.mean(ratios) > 5 and min(ratios) > 2
    assert min(gaps) >= 0.25


def test_who_knows_how_each_word_was_said_always_finds_it_under_the_background() -> None:
    """The ideal listener: were the voice drowned, not even the very waves of the words would tell them apart."""
    for seed in range(20):
        letters, heard, words, spans = challenge(seed)
        waves = [words[start:end] for start, end, _ in spans]
        for place, (start, end, _) in enumerate(spans):
            part = heard[start:end]
            fits = [
                float(part[: len(wave)] @ wave[: len(part)]) / np.linalg.norm(part[: len(wave)]) / np.linalg.norm(wave)
                for wave in waves
            ]
            assert int(np.argmax(fits)) == place, (seed, letters)
