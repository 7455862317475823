"""A seeded campaign of malformed files, run folders, command lines and calls, each in a child process with limits.

    python -m tools.fuzz --minutes 30            all families in turn, until the time is over
    python -m tools.fuzz --case files:17  one case again, with all that it prints

case.py      what a case is, and how it ended
samples.py   good files: those of docs/data.md, and one for each format that is not text
stock.py     these files and a good run of each task, made by the program itself
mutation/    how good bytes, text, trees, arrays, archives and run folders are made bad
families/    files, folders, commands, misuses: case number N of seed S is always the same
child.py     one case in a forked process of its own group, kept inside its folder
watch.py     its limits of memory and time
judge.py     what counts as a failure, and its root cause
campaign.py  runs cases, counts, keeps failures
"""
