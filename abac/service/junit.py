"""Write the results of test cases as JUnit XML, the form that build servers read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from abac.service.cases import CaseResult, Report

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report) -> str:
    """Return one `testsuite` per file and one `testcase` per case, failures with their sentences."""
    root = Element("testsuites", _totals(report.results))
    for file, group in groupby(report.results, key=lambda result: result.suite):
        results = list(group)
        suite = SubElement(root, "testsuite", {"name": _clean(file)} | _totals(results))
        for result in results:
            _case(suite, result)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _totals(results: Iterable[CaseResult]) -> dict[str, str]:
    found = list(results)
    return {
        "tests": str(len(found)),
        "failures": str(sum(not r.passed for r in found)),
        "errors": "0",
        "time": f"{sum(r.seconds for r in found):.6f}",
    }


def _case(suite: Element, result: CaseResult) -> None:
    case = result.case
    attributes = {
        "classname": _clean(result.suite),
        "name": _clean(case.name),
        "file": _clean(case.span.file),
        "line": str(case.span.line),
        "time": f"{result.seconds:.6f}",
    }
    element = SubElement(suite, "testcase", attributes)
    if not result.passed:
        text = _clean("\n".join(result.failures))
        failure = SubElement(element, "failure", {"message": text.split("\n", 1)[0]})
        failure.text = text


def _clean(text: str) -> str:
    """Replace characters that XML cannot hold."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
