"""What browsers may do with our pages: nothing from other hosts, no script of a page's own text, no frame around them.

The admin's theme is built on Alpine.js, which makes functions of the attributes it reads, and on styles in attributes. So
below /admin/ alone scripts of our own files may evaluate text, and styles may stand in the page; nothing wider, and no
inline script there either.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

ADMIN = "/admin/"
STRICT = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
IN_ADMIN = STRICT | {"script-src": "'self' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"}
DATA_ONLY = {"default-src": "'none'", "frame-ancestors": "'none'", "base-uri": "'none'", "form-action": "'none'"}
FEATURES = (
    "accelerometer", "autoplay", "bluetooth", "camera", "display-capture", "geolocation", "gyroscope", "hid",
    "idle-detection", "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip


def written(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


POLICIES = {name: written(policy) for name, policy in (("strict", STRICT), ("admin", IN_ADMIN), ("data", DATA_ONLY))}
PERMISSIONS = ", ".join(f"{feature}=()" for feature in FEATURES)


class StrictPages:
    """Puts the policy on every answer, errors and files included; a view's own, such as that of a stored file, is stricter."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICIES[_kind(request, response)])
        response.headers["Permissions-Policy"] = PERMISSIONS
        return response


def _kind(request: HttpRequest, response: HttpResponse) -> str:
    if not response.headers.get("Content-Type", "").startswith("text/html"):
        return "data"
    return "admin" if request.path.startswith(ADMIN) else "strict"
