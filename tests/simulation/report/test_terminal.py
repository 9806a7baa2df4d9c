from __future__ import annotations

import io

import pytest

console = pytest.importorskip("rich.console", reason="install abac[cli]")


def shown(report, width, **more):
    from abac.simulation.report import terminal

    out = io.StringIO()
    console.Console(file=out, width=width, force_terminal=False).print(terminal.show(report, **more))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_cut_at_usual_widths(known, bounded, estimated, width):
    for report in (known, bounded, estimated):
        text = shown(report, width)
        assert "\N{HORIZONTAL ELLIPSIS}" not in text
        assert max(map(len, text.splitlines())) <= width
        for name in ("d1-foreign-nationals", "t3-capability", "step-up", "purpose"):
            assert name in text


def test_it_opens_with_the_sentence_then_the_options(known):
    text = shown(known, 120)
    assert text.index("SYNTHETIC") < text.index("With what is on file") < text.index("strict")
    assert text.index("strict") < text.index("side by side")


def test_a_brought_population_is_not_called_synthetic(bounded):
    assert "SYNTHETIC" not in shown(bounded, 80)


def test_another_posture_can_be_asked_for(known):
    assert "posture lenient" in shown(known, 80, posture="lenient")


def test_markup_in_a_document_is_text(known):
    known["headline"] = "[red]0 %[/red] can be decided"
    assert "[red]" in shown(known, 80)
