"""What no description can say of a request: that its key is new, and that its outlet exists."""

import re
import uuid

import schemathesis

KEY = "Idempotency-Key"
NAME = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]{1,200}")


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives what fits the description a meaning, and leaves the rest as it is.

    The generator repeats the examples of parameters, and the same key with another body is refused,
    as it must be. So is an outlet that does not exist.
    """
    key = (case.headers or {}).get(KEY)
    if isinstance(key, str) and 0 < len(key) < 256 and all("!" <= sign <= "~" for sign in key):
        case.headers[KEY] = f"st-{uuid.uuid4()}"
    if isinstance(case.body, dict):
        outlet = case.body.get("outlet_id")
        is_number = isinstance(outlet, (int, float)) and not isinstance(outlet, bool)
        if is_number and outlet >= 1 and outlet == outlet // 1:
            case.body["outlet_id"] = 1
        name = case.body.get("outlet_name")
        if isinstance(name, str) and NAME.fullmatch(name) and name.strip():
            case.body["outlet_name"] = "Napoli Express"
