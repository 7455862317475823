"""The studio: runs, trainings and what goes on inside a model, as a local page; studio/API.md says what it and its page say to each other.

From the bottom up: what is sent (`results`), where work is done (`worker`), what there is (`catalog`, `summary`, `details`, `curves`, `uploads`), what is made of
it (`models`, `inputs`, `options`, `play`, `traces`, `commands`, `jobs`), and the server (`guard`, `routes`, `app`, `server`).
"""
