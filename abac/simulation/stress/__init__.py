"""Stress: how far a scenario's figures hang on what nobody knows, and on which of it most.

`setting` names the parameters, `document` reads what is assumed of them, `filed` is what a setting makes of the
truth and of what is on file, `engine` and `bound` decide and count it, `tally` says what the counts mean, `sweeps`
varies one parameter at a time, `montecarlo` all of them, `breakeven` and `collecting` answer a question each, and
`run` puts it together.
"""
