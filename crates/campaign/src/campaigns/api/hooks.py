"""Lets schemathesis in as the merchant and as buyers, and hands it things that exist: without them hardly any request
would get past "unauthorized" and "not found". Loaded by schemathesis; the campaign sets the variables."""

import os
import random

import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation

PROXY = os.environ["UPSELL_PROXY"]
SIM = os.environ["UPSELL_SIM"]
MERCHANT_KEY = os.environ["UPSELL_MERCHANT_KEY"]

# The browser in which everything happens: a token belongs to the first that uses it.
BROWSER = "the-browser-of-the-campaign-keeps-this-secret"

http = requests.Session()
http.headers["upsell-browser"] = BROWSER
chance = random.Random(int(os.environ["UPSELL_SEED"]))

# What the buyers of the last tokens have on their screens, and what exists at all.
offer = {}
plan = {}
known = {"customer_id": [], "payment_id": [], "subscription_id": []}


def post(url, body, token=None):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = http.post(url, json=body, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.json()


def get(url, token):
    answer = http.get(url, headers={"authorization": f"Bearer {token}"}, timeout=30)
    answer.raise_for_status()
    return answer.json()


def buyer():
    card = {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2034}
    billing = {"country": "US", "state": "CA", "city": "SF", "street": "1 Market St", "zipcode": "94105"}
    address = f"buyer-{len(known['customer_id'])}@example.com"  # one person each
    body = {"email": address, "name": "B. Uyer", "payment_methods": [card], "billing": billing}
    customer = post(f"{SIM}/_sim/customers", body)["customer_id"]
    known["customer_id"].append(customer)
    return customer


def mint(customer, purpose, **more):
    body = {"customer_id": customer, "purpose": purpose, **more}
    return post(f"{PROXY}/v1/sessions", body, MERCHANT_KEY)["token"]


def left_out(case, name):
    """Whether a header is missing on purpose. To put it back would turn a wrong request into a good one."""
    headers = case.meta and case.meta.components.get(ParameterLocation.HEADER)
    wrong = headers is not None and headers.mode == GenerationMode.NEGATIVE
    return wrong and name not in {known.lower() for known in case.headers}


class Bearer:
    def set(self, case, data, ctx):
        for name, value in (("authorization", f"Bearer {data}"), ("upsell-browser", BROWSER)):
            if not left_out(case, name):
                case.headers[name] = value


@schemathesis.auth(refresh_interval=1).apply_to(path_regex="^/v1/upsell")
class Offers(Bearer):
    """A new buyer every second, since an offer is used up."""

    def get(self, case, ctx):
        customer = buyer()
        bought = {"customer_id": customer, "product_id": "prod_starter_course"}
        paid = post(f"{SIM}/_sim/payments", bought)["payment_id"]
        known["payment_id"].append(paid)
        token = mint(customer, "offer", payment_id=paid)
        shown = get(f"{PROXY}/v1/upsell", token)
        offer.update(offer_id=shown["offer"]["id"], quote_id=shown["quote"]["id"])
        return token


@schemathesis.auth(refresh_interval=1).apply_to(path_regex="^/v1/plans")
class Plans(Bearer):
    def get(self, case, ctx):
        customer = buyer()
        held = {"customer_id": customer, "product_id": "prod_basic_plan"}
        subscription = post(f"{SIM}/_sim/subscriptions", held)["subscription_id"]
        known["subscription_id"].append(subscription)
        token = mint(customer, "plans", subscription_id=subscription, signed_in=True)
        wanted = {"product_id": "prod_pro_plan"}
        plan.update(wanted, quote_id=post(f"{PROXY}/v1/plans/preview", wanted, token)["quote"]["id"])
        return token


@schemathesis.auth(refresh_interval=None).apply_to(path_regex="^/v1/(sessions|events)")
class Merchant(Bearer):
    def get(self, case, ctx):
        return MERCHANT_KEY


def whole(value):
    """In JSON Schema 1.0 is an integer. Here it is refused: amounts and counts are never floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    return [whole(inner) for inner in value] if isinstance(value, list) else value


def existing(path, name):
    """Something of that name which this operation can find."""
    here = offer if path.startswith("/v1/upsell") else plan
    if name in here:
        return here[name]
    if name == "product_id" and path == "/v1/checkouts":
        return "prod_starter_course"
    return chance.choice(known[name][-20:]) if known.get(name) else None


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Most of the time, something that exists in place of something invented. What is wrong on purpose stays so."""
    case.body = whole(case.body)
    meant_well = case.meta is None or case.meta.generation.mode == GenerationMode.POSITIVE
    if not meant_well or chance.random() < 0.3:
        return
    path = case.operation.path
    for name in case.body if isinstance(case.body, dict) else ():
        found = existing(path, name)
        if found is not None:
            case.body[name] = found
    if "id" in (case.path_parameters or {}):
        here = offer if path.startswith("/v1/upsell") else plan
        case.path_parameters["id"] = here.get("attempt_id", case.path_parameters["id"])


@schemathesis.hook
def after_call(ctx, case, response):
    if response.status_code != 200 or not case.operation.path.endswith(("/accept", "/change")):
        return
    answer = response.json() if response.request.method == "POST" else {}
    if "attempt_id" in answer:
        here = offer if case.operation.path.startswith("/v1/upsell") else plan
        here["attempt_id"] = answer["attempt_id"]
