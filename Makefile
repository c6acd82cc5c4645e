# Short names for those who like them; everything is `manage.py` and `.ci/run` underneath.

.PHONY: run test lint words

run:
	python3 manage.py run

test:
	python3 manage.py test

lint:
	.ci/run lint types layers

words:
	python3 manage.py make_words
