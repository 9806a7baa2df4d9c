"""`abac audit`: what an auditor asks of a log, a module for each kind of question.

Exit codes: 0, all is well; 1, something was found; 2, bad input.
"""

from __future__ import annotations

import typer

from abac.cli.audit import keeping, letting_go, looking, proving, replaying, verifying

app = typer.Typer(
    no_args_is_help=True, help="Verify, prove, replay, show and keep the log; let go of what may go."
)

app.command("verify")(verifying.verify)
app.command("prove")(proving.prove)
app.command("verify-receipt")(proving.verify_receipt)
app.command("consistency")(proving.consistency)
app.command("replay")(replaying.replay)
app.command("show")(looking.show)
app.command("list")(looking.list_)
app.command("export")(looking.export)
app.command("report")(looking.report)
app.command("verify-report")(looking.verify_report)
app.command("checkpoint")(keeping.checkpoint)
app.command("keygen")(keeping.keygen)
app.command("vkey")(keeping.vkey)
app.command("redact")(letting_go.redact)
app.command("prune")(letting_go.prune)
app.add_typer(letting_go.holds, name="hold")
app.add_typer(letting_go.retention, name="retention")
