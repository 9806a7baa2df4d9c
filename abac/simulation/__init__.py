"""Simulation: what a change of the rules does to a population, before anyone signs.

`population` makes or reads the people; `change` decides them before and after; `posture`, `measures`,
`displacement`, `conditions`, `blackout`, `timeline`, `readings` and `dependence` each answer one question; `study`
and `run` put the answers together; `report` shows them. Reading scenario files is `service.simulate`'s part.
"""
