"""What changed, told once: from what is recorded and the clock, to those who follow and their sessions.

`happened` derives what there is to tell, `flips` what a change does to a session, `redeciding` decides open
sessions again, `feed` hands what was told to readers. Telling it over HTTP is `rest`'s part.
"""
