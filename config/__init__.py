"""Settings, addresses and the Celery application: the one place that knows every app.

Empty but for this sentence: `manage.py` imports the package before any library is installed. Celery finds
`config.celery` by itself, and every Django process imports it in `config.apps`.
"""
