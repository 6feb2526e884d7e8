from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import transformer
import typedprop as tp


def small() -> tuple[transformer.Model, transformer.Corpus[transformer.Letters], transformer.Places]:
    corpus, places = transformer.load(), transformer.Places(16)
    rng = np.random.default_rng(0)
    width, keys, hidden = transformer.Width(16), transformer.Keys(8), transformer.Hidden(24)
    return transformer.random_transformer(corpus.size, places, width, keys, 2, hidden, rng), corpus, places


def test_the_text() -> None:
    corpus = transformer.load()
    text = corpus.written(corpus.learned)
    assert text.startswith("from fairest creatures we desire increase,\n")
    assert "shall i compare thee to a summer's day?" in text
    assert corpus.written(corpus.unseen).startswith("the expense of spirit")
    assert set(corpus.letters) <= set("abcdefghijklmnopqrstuvwxyz' ,.:;?!-\n")
    counts = np.bincount(corpus.unseen, minlength=corpus.size) / len(corpus.unseen)
    least = -(counts[counts > 0] * np.log(counts[counts > 0])).sum()
    assert least < corpus.entropy < least + 0.1


def test_no_place_sees_what_comes_after_it() -> None:
    model, corpus, places = small()
    here, _ = transformer.window(corpus, corpus.learned, 0, places)
    other = here.copy()
    other[9] = (other[9] + 1) % corpus.size
    before, after = transformer.logits(model, here).value, transformer.logits(model, other).value
    np.testing.assert_array_equal(before[:9], after[:9])
    assert (np.abs(before[9:] - after[9:]).max(axis=1) > 1e-6).all()


def test_the_gradient_is_that_of_differences() -> None:
    model, corpus, places = small()
    windows = [transformer.window(corpus, corpus.learned, start, places) for start in (0, 100)]
    tp.testing.check_grads(lambda model: transformer.loss(model, windows), (model,), order=1)


def test_learns_more_than_how_frequent_letters_are() -> None:
    model, corpus, _ = small()
    places = transformer.Places(32)
    rng = np.random.default_rng(0)
    model = transformer.random_transformer(
        corpus.size, places, transformer.Width(32), transformer.Keys(8), 4, transformer.Hidden(64), rng
    )
    model, losses, unseen = transformer.learn(model, corpus, places, steps=300, batch=8, rng=rng)
    assert losses[0] > corpus.entropy > 2.9
    assert float(np.mean(losses[-20:])) < corpus.entropy - 0.55
    assert unseen[-1][1] < corpus.entropy - 0.4
    text = transformer.write(model, corpus, places, rng, count=300)
    assert len(text) == 300
    assert text.count(" ") > 20


def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "transformer.png"
    assert transformer.main(["--out", str(out), "--steps", "60"]) == 0
    printed = capsys.readouterr().out
    assert "nats each by frequency alone" in printed and printed.splitlines()[-1] == f"picture: {out}"
    assert out.read_bytes().startswith(b"\x89PNG")
    assert transformer.main(["--out", str(out), "--steps", "1"]) == 1
    assert capsys.readouterr().err.startswith("transformer: it knows no more than ")
