"""Rehearse an order before there is one: stage, shadow, activate, cut sessions, roll back, and prove that.

`letter` makes the programs before and after, `sample` the requests that are put to every worker, `workers` runs
real ones, `watching` measures when each enforces, `run` has the steps in order, `page` shows what came of them. It
drives a set-up from outside, over HTTP and by the policy store, as those would who obey an order.
"""
