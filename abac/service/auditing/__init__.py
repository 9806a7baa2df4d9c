"""What an auditor asks of a log: is it whole, what does it prove, would it decide so again, who may still read it.

`verifying` looks at everything, `proving` and `keeping` carry proofs out of the house, `replaying` decides again,
`redacting` and `pruning` let go of what need not be kept. Printing and arguments are left to the command line.
"""
