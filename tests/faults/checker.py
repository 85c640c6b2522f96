"""Compares what people were told with what the store and the mail server hold."""

import json
import re
import time
from typing import Any

from tests.faults.outside import Outside
from tests.faults.people import KEYS, Person
from tests.installation import LiveInstallation

WELCOME, CHANGED, SMS = "Su Clave SENCE fue creada", "Su Clave SENCE fue cambiada", "SMS"
FACTS = """
import json
from clave.attendance.models import SessionStart
from clave.audit.models import Entry
from clave.web.models import Submission
from clave.notifications.models import Message
from clave.holders.models import Holder
from clave.credentials import hashing
facts = {}
for holder in Holder.objects.filter(identifier__startswith="15").select_related("credential"):
    fact = facts.setdefault(holder.identifier, {"holders": 0, "acts": {}, "sessions": {}})
    fact["holders"] += 1
    fact["keys"] = [key for key in %s if hashing.matches(holder.credential.hash, key)]
    for action in Entry.objects.filter(subject=str(holder.pk), outcome="ok").values_list("action", flat=True):
        fact["acts"][action] = fact["acts"].get(action, 0) + 1
for opening in SessionStart.objects.filter(enrolment__run__startswith="15").select_related("enrolment", "ending"):
    ended = opening.ending.kind if hasattr(opening, "ending") else ""
    facts[opening.enrolment.run]["sessions"][opening.public] = ended
print("FACTS", json.dumps(facts))
"""


def facts(live: LiveInstallation) -> dict[str, Any]:
    """Read the store as its operator could."""
    text = live.shell(FACTS % (KEYS,))
    line = re.search(r"^FACTS (.*)$", text, re.MULTILINE)
    assert line, text
    found: dict[str, Any] = json.loads(line[1])
    return found


def wait_for_messages(live: LiveInstallation, seconds: float = 60) -> None:
    """Wait until nothing is left in the outbox."""
    deadline = time.monotonic() + seconds
    while waiting := live.query("SELECT count(*) FROM notifications_message WHERE state = 'pending'")[0][0]:
        if time.monotonic() > deadline:
            raise AssertionError(f"{waiting} messages are still in the outbox")
        time.sleep(0.2)


def problems(people: list[Person], store: dict[str, Any], outside: Outside) -> list[str]:
    """Return what was told and is not so, what was done twice, and which messages did not arrive."""
    arrived, found = outside.arrived(), []
    for person in people:
        fact = store.get(person.run, {"holders": 0, "keys": [], "acts": {}, "sessions": {}})
        complaints = [*_account(person, fact), *_sessions(person, fact), *_messages(person, fact, arrived)]
        found += [f"{person.run}: {complaint}; told {person}; store {fact}" for complaint in complaints]
    return found


def _account(person: Person, fact: dict[str, Any]) -> list[str]:
    found = []
    acts = fact["acts"]
    least = person.registered == "told"
    if not least <= fact["holders"] <= (person.registered != "no"):
        found.append("registration")
    if acts.get("holder.registered", 0) != fact["holders"]:
        found.append("registrations in the audit trail")
    if person.changed == "told" and fact["keys"] != [KEYS[1]]:
        found.append("the key told to be changed")
    if person.registered == "told" and person.changed == "no" and fact["keys"] != [KEYS[0]]:
        found.append("the first key")
    if not (person.changed == "told") <= acts.get("key.changed", 0) <= (person.changed != "no"):
        found.append("changes in the audit trail")
    if not person.signed_in.count("told") <= acts.get("signin", 0) <= len(person.signed_in):
        found.append("sign-ins in the audit trail")
    return found


def _sessions(person: Person, fact: dict[str, Any]) -> list[str]:
    found = []
    sessions, acts = fact["sessions"], fact["acts"]
    if not set(person.opened) <= set(sessions):
        found.append("an opening told is not there")
    if len(sessions) > len(person.opened) + person.unanswered_openings:
        found.append("opened twice")
    if any(sessions.get(session) != "closed" for session in person.closed):
        found.append("a closing told is not there")
    closed = [session for session, ended in sessions.items() if ended == "closed"]
    if len(closed) > len(person.closed) + person.unanswered_closings:
        found.append("closed without being asked")
    if (acts.get("attendance.opened", 0), acts.get("attendance.closed", 0)) != (len(sessions), len(closed)):
        found.append("marks in the audit trail")
    return found


def _messages(person: Person, fact: dict[str, Any], arrived: dict[tuple[str, str], list[str]]) -> list[str]:
    """Each act has its message, once: the same one may arrive again, with the same id."""
    wanted = {
        (person.email, WELCOME): fact["holders"],
        (f"+569{person.mobile}", SMS): fact["holders"],
        (person.email, CHANGED): fact["acts"].get("key.changed", 0),
    }
    return [
        f"{words}: {len(set(arrived.get((to, words), [])))} messages for {times} acts"
        for (to, words), times in wanted.items()
        if len(set(arrived.get((to, words), []))) != times
    ]
