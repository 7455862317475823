"""`recurra generate`: samples and the likeliest continuations, of one prompt and of a file of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.verbs.conftest import POEMS, call, lines

import recurra
from recurra.errors import UsageError

PROMPTS = ["the rain in sp", "", "the cat in the hat sat on", "th"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A prompt a line; an empty line is one too."""
    path = tmp_path / "prompts.txt"
    path.write_text("\n".join(PROMPTS) + "\n", encoding="utf-8")
    return path


def test_it_is_fixed_by_its_seed(verse: Path) -> None:
    first, again, other = (
        call("generate", verse, "-l", 60, "--temperature", 1.6, "--seed", seed) for seed in (5, 5, 6)
    )
    assert first == again != other
    assert len(first.removesuffix("\n")) == 60


def test_greedy_writes_the_verse_by_heart(verse: Path) -> None:
    output = call("generate", verse, "-p", "the rain in sp", "--greedy", "-l", 29)
    assert output == "the rain in spain falls mainly on the plain\n"


def test_a_sample_does_not_depend_on_how_many_there_are(verse: Path) -> None:
    two = lines(call("generate", verse, "-n", 2, "-l", 40, "--temperature", 1.6, "--seed", 3, "--json"))
    five = lines(call("generate", verse, "-n", 5, "-l", 40, "--temperature", 1.6, "--seed", 3, "--json"))
    assert five[:2] == two and len({sample["text"] for sample in five}) > 1


def test_it_stops_at_a_documents_end(poems: Path) -> None:
    output = call("generate", poems, "--greedy", "-p", "床", "-l", 100)
    assert output == POEMS[0] + "\n"


def test_beam_search_beats_greedy(verse: Path) -> None:
    found = lines(call("generate", verse, "--beam", 6, "-n", 3, "-l", 20, "-p", "the ", "--json"))
    assert len(found) == 3
    assert [f["score"] for f in found] == sorted((f["score"] for f in found), reverse=True)
    greedy = call("generate", verse, "--greedy", "-l", 20, "-p", "the ").removesuffix("\n")
    loaded = recurra.load(verse)
    prompt = loaded.score("the ")[0]["log_prob"]
    assert found[0]["log_prob"] >= loaded.score(greedy)[0]["log_prob"] - prompt - 1e-4
    assert found[0]["log_prob"] == pytest.approx(loaded.score(found[0]["text"])[0]["log_prob"] - prompt, abs=1e-3)


@pytest.mark.parametrize(
    "arguments", [["--greedy", "--top-k", "3"], ["--beam", "3", "--temperature", "1"], ["--beam", "2", "--greedy"]]
)
def test_settings_that_exclude_each_other_are_refused(verse: Path, arguments: list[str]) -> None:
    with pytest.raises(UsageError, match=r"drop it|one of the two"):
        call("generate", verse, *arguments)


def test_a_file_of_prompts_is_continued_prompt_by_prompt(verse: Path, file: Path) -> None:
    """JSON lines come in the order of the prompts, the samples of one together, and each is what it is alone."""
    options = ["-n", 2, "-l", 12, "--temperature", 1.4, "--seed", 3, "--json"]
    results = lines(call("generate", verse, file, *options))
    assert len(results) == 2 * len(PROMPTS) and all(set(result) == {"text"} for result in results)
    alone = [result for prompt in PROMPTS for result in lines(call("generate", verse, "-p", prompt, *options))]
    assert results == alone
    assert [len(result["text"]) for result in results] == [len(prompt) + 12 for prompt in PROMPTS for _ in range(2)]


def test_prompts_of_a_pipe_and_of_flags_are_those_of_a_file(verse: Path, file: Path) -> None:
    options = ["-l", 8, "--greedy"]
    of_file = call("generate", verse, file, *options)
    assert of_file == call("generate", verse, "-", *options, text=file.read_text(encoding="utf-8"))
    assert of_file == call("generate", verse, *(word for prompt in PROMPTS for word in ("-p", prompt)), *options)
    assert of_file.startswith("the rain in spain fall\n\n")


def test_documents_end_each_at_its_own_length(poems: Path, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("\n".join(poem[: 1 + index] for index, poem in enumerate(POEMS)), encoding="utf-8")
    output = call("generate", poems, prompts, "--greedy", "-l", 100)
    assert output == "\n\n".join(POEMS) + "\n"


def test_a_beam_searches_for_all_prompts_of_a_file(verse: Path, file: Path) -> None:
    options = ["--beam", 4, "-n", 2, "-l", 6, "--json"]
    results = lines(call("generate", verse, file, *options))
    alone = [result for prompt in PROMPTS for result in lines(call("generate", verse, "-p", prompt, *options))]
    assert [result["text"] for result in results] == [result["text"] for result in alone]
    for result, other in zip(results, alone, strict=True):
        assert set(result) == {"text", "log_prob", "score"}
        assert result["log_prob"] == pytest.approx(other["log_prob"], abs=1e-5)


def test_an_empty_file_gives_nothing(verse: Path, tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("")
    assert call("generate", verse, tmp_path / "none.txt", "-l", 5, "--seed", 1) == ""
    assert call("generate", verse, tmp_path / "none.txt", "-l", 5, "--beam", 2) == ""


def test_a_file_and_a_prompt_are_too_much(verse: Path, file: Path) -> None:
    with pytest.raises(UsageError, match="expected --prompt or a file, got both"):
        call("generate", verse, file, "-p", "the")
