"""This machine and its settings: room on the disk, secret, HTTPS, mail, files that have to be there."""

import gettext
import shutil
import smtplib
from urllib.parse import urlsplit

from django.conf import settings

from teams.doctor import Check, Finding, doubtful, well, wrong

FULL_SHARE, TOO_FULL_SHARE = 0.85, 0.95
LEAST_SECRET, LEAST_LETTERS = 50, 10
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
MAIL_SECONDS = 5
LEAST_SENTENCES = 300


def disk() -> Finding:
    space = shutil.disk_usage(settings.OUTPOST_HOME if settings.OUTPOST_HOME.exists() else settings.BASE_DIR)
    share = 1 - space.free / space.total
    words = f"The disk of the data directory is {share:.0%} full, {space.free / 2**30:.1f} GB are free."
    if share >= TOO_FULL_SHARE:
        return wrong(words, "Make room now: a full disk stops the database.")
    return doubtful(words, "Make room, or move OUTPOST_HOME to a larger disk.") if share >= FULL_SHARE else well(words)


def secret() -> Finding:
    key = settings.SECRET_KEY
    if len(key) < LEAST_SECRET or len(set(key)) < LEAST_LETTERS:
        return wrong(
            f"The secret has {len(key)} signs, {len(set(key))} different ones.",
            "Set OUTPOST_SECRET_KEY to 50 random signs or more. People log in anew, and robots of chats are entered again.",
        )
    return well("The secret is long enough.")


def https() -> Finding:
    address = urlsplit(settings.OUTPOST_URL)
    if address.scheme == "https":
        if not settings.TRUST_PROXY:
            return doubtful(
                "People come by HTTPS, but the proxy's word for it is not believed: every page redirects to itself.",
                "Let the proxy set X-Forwarded-Proto always, and set OUTPOST_TRUST_PROXY=1.",
            )
        return well("People come by HTTPS, and cookies stay on it.")
    if address.hostname in LOOPBACK:
        return well("Only this machine is served, without HTTPS.")
    return wrong(
        f"People come to {address.hostname} without HTTPS: passwords can be read on the way.",
        "Put a proxy with TLS before it (docs/deploy) and set OUTPOST_URL to its https:// address.",
    )


def debugging() -> Finding:
    if settings.DEBUG:
        return wrong("Debugging pages are on: errors show settings and data.", "Unset OUTPOST_DEBUG and start again.")
    return well("Debugging pages are off.")


def watching() -> Finding:
    if not settings.METRICS_TOKEN and (settings.TRUST_PROXY or settings.BEHIND_HTTPS):
        return doubtful(
            "Nobody can read /metrics.", "Set OUTPOST_METRICS_TOKEN, or leave it if nothing watches this suite."
        )
    return well("/metrics opens to the token." if settings.METRICS_TOKEN else "/metrics opens to this machine.")


def mail() -> Finding:
    if not settings.EMAIL_HOST:
        return doubtful("No mail leaves: it is kept as files in the data directory.", "Set OUTPOST_MAIL_HOST.")
    try:
        with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=MAIL_SECONDS) as server:
            server.ehlo()
            offers_tls = server.has_extn("starttls")
    except (OSError, smtplib.SMTPException) as error:
        return wrong(
            f"The mail server does not answer ({type(error).__name__}).",
            "Correct OUTPOST_MAIL_HOST and OUTPOST_MAIL_PORT, or open the way to it. Mail waits and is tried again.",
        )
    if settings.EMAIL_USE_TLS and not offers_tls:
        return wrong("The mail server offers no STARTTLS.", "Unset OUTPOST_MAIL_TLS, or name a server that has it.")
    if settings.EMAIL_HOST_USER and not settings.EMAIL_USE_TLS:
        return doubtful("The log-in at the mail server goes unencrypted.", "Set OUTPOST_MAIL_TLS=1.")
    return well("The mail server answers.")


def static_files() -> Finding:
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if manifest.exists() or settings.DEBUG:
        return well("The static files are collected.")
    return wrong(
        "The static files are not collected: pages cannot be shown.",
        "Run `manage.py collectstatic`; `manage.py run` does it at its start.",
    )


def catalogue() -> Finding:
    """The Chinese is read from the compiled catalogue, which comes with the release."""
    try:
        found = gettext.translation("django", settings.LOCALE_PATHS[0], languages=["zh_Hans"])
    except OSError:
        return wrong(
            "The Chinese catalogue is missing.", "Take it from the release: locale/zh_Hans/LC_MESSAGES/django.mo."
        )
    count = len(getattr(found, "_catalog", ()))
    if count < LEAST_SENTENCES:
        return wrong(f"The Chinese catalogue holds only {count} sentences.", "Take the file from the release again.")
    return well(f"The Chinese catalogue holds {count} sentences.")


CHECKS: tuple[tuple[str, Check], ...] = (
    ("disk", disk),
    ("secret", secret),
    ("https", https),
    ("debugging", debugging),
    ("metrics", watching),
    ("mail", mail),
    ("static files", static_files),
    ("Chinese", catalogue),
)
