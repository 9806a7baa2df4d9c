"""Read policy files from disk and compile them to a program; every error of every file comes at once.

What the texts mean is `language`'s part, what they come to is `compiler`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from os import PathLike
from pathlib import Path

from abac.compiler.link import RowLinker, link
from abac.compiler.program import Program, assemble
from abac.condition.functions import SHIPPED, Function
from abac.condition.schema import Schema
from abac.condition.terms import Vocabulary
from abac.errors import NOWHERE, CompileError, Findings, Span
from abac.language import yaml_source
from abac.language.casbin import AccessModel, Rows, read_model, read_rows
from abac.language.condition import Context
from abac.language.directive import read_directive, read_person_test
from abac.language.lists import Lists, is_country_groups, read_country_groups, read_list
from abac.language.schema import read_schema
from abac.language.yaml_source import Document
from abac.policy import persons
from abac.policy.directive import NOW, Directive
from abac.policy.persons import PersonTest
from abac.policy.rule import Rule

PathText = str | PathLike[str]
MAX_BYTES = 256 * 1024 * 1024
"""The largest policy file read."""


BESIDE = ("keys", "mapping", "entities")
"""Documents of ours that are no policies, by their first word; a server keeps its keys where it was started."""


@dataclass(slots=True)
class _Texts:
    """The files of a load, sorted by what they hold."""

    documents: dict[str, list[Document]] = field(
        default_factory=lambda: {"directive": [], "person": [], "list": []}
    )
    rows: list[tuple[str, str]] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)


def compile_policies(
    schema: PathText,
    model: PathText | None = None,
    policies: Sequence[PathText] = (),
    *,
    functions: Iterable[Function] = (),
    as_of: date | None = None,
    as_known_at: datetime | None = None,
) -> Program:
    """Compile a schema, a Casbin model, policy rows and directives to a program. Exported as `abac.compile`.

    `policies` are files or folders: `.csv` rows for the model, `.yaml` directives, person tests and named lists.
    The folders `persons/` and `lists/` beside the schema are always read, `scenarios/` and `tests/` never.
    `as_of` is the day for which dated lists are taken (default: the day the latest directive takes effect, or the
    latest membership), `as_known_at` the time up to which recorded events count (default: all). Raises
    `CompileError` with every error of all files.
    """
    findings = Findings()
    if as_known_at is not None and as_known_at.tzinfo is None:
        findings.error(NOWHERE, "date-time", f"as_known_at={as_known_at.isoformat()} has no offset")
        findings.raise_errors(CompileError)
    paths = Path(schema), None if model is None else Path(model), [Path(p) for p in policies]
    program = survey(*paths, findings, functions=functions, as_of=as_of, as_known_at=as_known_at)
    findings.raise_errors(CompileError)
    assert program is not None  # noqa: S101  # no errors, so there is one
    return program


def survey(
    schema: Path,
    model: Path | None,
    policies: Sequence[Path],
    findings: Findings,
    *,
    functions: Iterable[Function] = (),
    as_of: date | None = None,
    as_known_at: datetime | None = None,
) -> Program | None:
    """Compile as `compile_policies` does, noting warnings beside errors; None where there is an error."""
    return _Loader(findings).program(schema, model, policies, functions, as_of, as_known_at)


def load_schema(path: Path) -> Schema:
    """Return the schema in a file; raises `CompileError` with every finding."""
    findings = Findings()
    schema = _Loader(findings).schema(path)
    findings.raise_errors(CompileError)
    return schema


def policy_files(path: Path) -> list[Path]:
    """Return the files of policies in a folder, in order; of a file, itself."""
    if not path.is_dir():
        return [path]
    found = sorted(f for f in path.rglob("*") if f.suffix.lower() in (".csv", ".yaml", ".yml") and f.is_file())
    return [f for f in found if f.name != "schema.yaml" and not _apart(f.relative_to(path))]


class _Loader:
    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def program(
        self,
        schema_path: Path,
        model_path: Path | None,
        policies: Sequence[Path],
        functions: Iterable[Function],
        as_of: date | None,
        as_known_at: datetime | None,
    ) -> Program | None:
        schema = self.schema(schema_path)
        beside = [p for name in ("persons", "lists") if (p := schema_path.parent / name).is_dir()]
        texts = self._texts([*beside, *policies])
        table = dict(SHIPPED) | {f.name: f for f in functions}
        vocabulary = Vocabulary(schema, table)
        lists = self._lists(texts, as_of)
        tests = self._persons(texts, Context(vocabulary, lists, {}))
        directives = self._directives(texts, Context(vocabulary, lists, tests))
        model, rules = self._rules(model_path, texts, vocabulary, lists, tests)
        if self._findings.errors:
            return None
        root = link(model, rules, directives, as_known_at)
        return assemble(
            schema,
            root,
            table,
            directives=directives,
            persons=tests,
            lists=lists,
            warnings=self._findings.warnings,
        )

    # --- files -----------------------------------------------------------------------------------------

    def _read(self, path: Path) -> str | None:
        try:
            if path.stat().st_size > MAX_BYTES:
                self._findings.error(Span(str(path)), "too-long", f"file of more than {MAX_BYTES:,} bytes")
                return None
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            self._findings.error(Span(str(path)), "encoding", f"not UTF-8 at byte {error.start}")
        except OSError as error:
            self._findings.error(Span(str(path)), "file", error.strerror or str(error))
        except ValueError as error:  # a path with a NUL character
            self._findings.error(Span(repr(str(path))), "file", str(error))
        return None

    def schema(self, path: Path) -> Schema:
        """Return the schema in a file; an empty one, with a finding, where it cannot be read."""
        text = self._read(path)
        return Schema() if text is None else read_schema(text, str(path), self._findings)

    def _texts(self, paths: Iterable[Path]) -> _Texts:
        texts = _Texts()
        seen: set[Path] = set()
        for path in paths:
            for file in policy_files(path):
                if file.resolve() not in seen:
                    seen.add(file.resolve())
                    self._sort(file, texts)
        return texts

    def _sort(self, file: Path, texts: _Texts) -> None:
        text = self._read(file)
        if text is None:
            return
        if file.suffix.lower() == ".csv":
            (texts.groups if is_country_groups(text) else texts.rows).append((text, str(file)))
            return
        document = yaml_source.read(text, str(file), self._findings)
        if document is None:
            return
        held = document.value if isinstance(document.value, dict) else {}
        kind = next((k for k in texts.documents if k in held), None)
        if kind is None and any(held.get(other) == "abac/1" for other in BESIDE):
            return
        if kind is None:
            message = "a policy document starts with `directive:`, `person:` or `list:`"
            self._findings.error(document.span(), "document", message)
        else:
            texts.documents[kind].append(document)

    # --- parts -----------------------------------------------------------------------------------------

    def _lists(self, texts: _Texts, as_of: date | None) -> Lists:
        lists: Lists = {}
        day = as_of or _latest_effect(texts.documents["directive"])
        for document in texts.documents["list"]:
            self._add(lists, read_list(document, self._findings), document.span())
        for text, file in texts.groups:
            self._add(lists, read_country_groups(text, file, day, self._findings), Span(file))
        return lists

    def _add(self, lists: Lists, more: Lists, span: Span) -> None:
        for name, members in more.items():
            if name in lists:
                self._findings.error(span, "duplicate-id", f"list `{name}` is defined twice")
            lists[name] = members

    def _persons(self, texts: _Texts, context: Context) -> dict[str, PersonTest]:
        tests: dict[str, PersonTest] = {}
        for document in texts.documents["person"]:
            test = read_person_test(document, context, self._findings)
            if test is not None and test.id in tests:
                self._findings.error(test.span, "duplicate-id", f"person test `{test.id}` is defined twice")
            if test is not None:
                tests[test.id] = test
        return persons.link(tests, self._findings)

    def _directives(self, texts: _Texts, context: Context) -> list[Directive]:
        found: dict[str, Directive] = {}
        now = context.vocabulary.schema.get(NOW.path)
        if texts.documents["directive"] and (now is None or now.type != NOW.type):
            message = f"directives are in force by time: the schema must have `{NOW.path}`, a date-time"
            self._findings.error(texts.documents["directive"][0].span(), "no-now", message)
        for document in texts.documents["directive"]:
            directive = read_directive(document, context, self._findings)
            if directive is not None and directive.id in found:
                message = f"directive `{directive.id}` is defined twice"
                self._findings.error(document.span("directive"), "duplicate-id", message)
            if directive is not None:
                found[directive.id] = directive
        return list(found.values())

    def _rules(
        self,
        model_path: Path | None,
        texts: _Texts,
        vocabulary: Vocabulary,
        lists: Lists,
        tests: Mapping[str, PersonTest],
    ) -> tuple[AccessModel | None, list[Rule]]:
        rows = Rows()
        if model_path is None:
            for _, file in texts.rows:
                self._findings.error(Span(file), "no-model", "policy rows need a Casbin model (`model=`)")
            return None, []
        text = self._read(model_path)
        model = None if text is None else read_model(text, str(model_path), lists, self._findings)
        if model is None:
            return None, []
        for content, file in texts.rows:
            read_rows(content, file, model, rows, self._findings)
        return model, RowLinker(model, rows, vocabulary, lists, tests, self._findings).rules()


def _apart(path: Path) -> bool:
    """Whether a file in a folder of policies is something else: a scenario, a test case, or hidden."""
    return any(part in ("scenarios", "tests") or part.startswith(".") for part in path.parts)


def _latest_effect(documents: Iterable[Document]) -> date:
    """Return the UTC day on which the latest directive takes effect, or the last day there is."""
    days: list[date] = []
    for document in documents:
        status = document.value.get("status")
        for event in status if isinstance(status, list) else ():
            if isinstance(event, dict) and event.get("event") == "effective":
                try:
                    days.append(datetime.fromisoformat(str(event.get("at"))).astimezone(UTC).date())
                except (ValueError, OverflowError):
                    continue  # the document's own reading notes it
    return max(days, default=date.max)
