"""What the schema tells of every operation beside what its view says: the answers a caller has to be ready for.

The framework describes only what goes well. What is said here is what `teams.edges.api` and the settings do alike at
every address; the API fuzz compares it with what really comes back.
"""

from typing import Any

PROBLEM = {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}
COMPLAINT = {
    "description": "By the name of a field or parameter what is wrong with it, or a `detail` about the whole.",
    "oneOf": [{"type": "object", "additionalProperties": {}}, {"type": "array", "items": {"type": "string"}}],
}
WORDS = {
    "400": "The request cannot be read, or a field or parameter is wrong.",
    "401": "The name, password or token is not valid.",
    "403": "Not logged in, or not allowed.",
    "404": "There is no such row, or it is out of reach.",
    "406": "The answer is wanted in another form than JSON.",
    "413": "The body is too large.",
    "415": "The body is not sent as JSON.",
    "429": "Too many tries; `Retry-After` tells how many seconds to wait.",
}
ALWAYS = ("400", "403", "406")


def tell_answers(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook of drf-spectacular: complete `responses` of each operation of `result` with those above."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"Problem": PROBLEM, "Complaint": COMPLAINT}
    for path, operations in result.get("paths", {}).items():
        for method, operation in operations.items():
            told = operation["responses"]
            for status in (*ALWAYS, *_more(path, method, operation)):
                if "content" not in told.get(status, {}):
                    told[status] = _answer(status)
            operation["responses"] = dict(sorted(told.items()))
    return result


def _more(path: str, method: str, operation: dict[str, Any]) -> tuple[str, ...]:
    names = {each["name"] for each in operation.get("parameters", ())}
    found: list[str] = []
    if "{" in path or "page" in names:
        found.append("404")
    if "requestBody" in operation:
        found += ["413", "415"]
    if not operation.get("security"):
        found += ["401", "429"]
    elif any("sourceToken" in each for each in operation["security"]):
        found.append("401")
    return tuple(found)


def _answer(status: str) -> dict[str, Any]:
    name = "Complaint" if status == "400" else "Problem"
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    return {"description": WORDS[status], "content": content}
