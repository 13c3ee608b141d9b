"""doc/openapi.yaml against the server: the same routes, and every operation called in every content
type, refused in every documented way, its answers checked against the schemas."""

import copy
import os
import re
import sqlite3
import subprocess
import tempfile

import jsonschema
import pytest
import requests

from harness import files
from harness.certificates import Authority
from harness.openapi import LIMITS, METHODS, Spec, routes, walk
from harness.receiver import Receiver, answers
from harness.totp import Authenticator, enrol
from harness.server import BINARY, Api, Browser, World, await_until

SERVER_FLAGS = ["--rate-limit", "1000000"]  # the headers are sent only while there is a limit

SPEC = Spec()
OPERATIONS = SPEC.operations
ELSEWHERE = "https://elsewhere.example:443"
NOBODY, NOWHERE = "PA" + "0" * 22, "http://127.0.0.1:9/pb"
FORM, JSON, CSV = "application/x-www-form-urlencoded", "application/json", "text/csv"
NDJSON = "application/x-ndjson"


def each(wanted=lambda operation: True):
    chosen = [operation for operation in OPERATIONS if wanted(operation)]
    return pytest.mark.parametrize("operation", chosen, ids=[one.id for one in chosen])


# ---- the file and the table of routes ----

def test_the_file_has_the_servers_routes_and_no_others():
    assert sorted((one.method, one.path) for one in OPERATIONS) == sorted(routes())


@each()
def test_who_may_call_and_how_much_is_as_the_route_says(operation):
    accounts, scopes, counted, body_max = routes()[operation.method, operation.path]
    assert (operation.accounts, operation.scopes) == (accounts, scopes)
    assert operation.signed_in == bool(accounts)
    headers = operation.responses[operation.success].get("headers", {})
    assert (set(LIMITS) <= set(headers)) == counted
    if operation.signed_in:
        assert {"401", "403", "429"} <= set(operation.responses) or not counted
    if operation.body:
        assert operation.raw["x-body-max"] == body_max


def test_the_file_is_whole():
    whole = SPEC.whole
    version = subprocess.run([BINARY, "--version"], check=True, capture_output=True, text=True)
    assert whole["openapi"].startswith("3.1.")
    assert version.stdout.split() == ["postbackd", whole["info"]["version"]]
    ids = [one.id for one in OPERATIONS]
    assert len(set(ids)) == len(ids)
    tags = {tag["name"] for tag in whole["tags"]}
    for operation in OPERATIONS:
        assert set(operation.path_names) == set(
            part[1:-1] for part in operation.path.replace(".csv", "").split("/")
            if part.startswith("{")), operation
        assert set(operation.raw["tags"]) <= tags and operation.raw["summary"], operation
        assert "default" in operation.responses, operation
    for item in whole["paths"].values():
        assert set(item) <= {*METHODS, "parameters"}


def test_every_reference_leads_somewhere_and_every_component_is_used():
    used = {node["$ref"] for _, node in walk(SPEC.whole) if "$ref" in node}
    for reference in used:
        SPEC.find(reference)
    there = {f"#/components/{kind}/{name}" for kind, members in SPEC.whole["components"].items()
             for name in members if kind != "securitySchemes"}
    assert used == there


def test_every_schema_is_one_and_its_example_fits():
    for name, schema in SPEC.strict["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        if "example" in schema:
            SPEC.validate(schema, schema["example"])


# ---- calling each operation ----

class Stage(World):
    """A world with something in it for each kind of operation."""

    def __init__(self, server, add_receiver):
        super().__init__(server)
        self.add_receiver, self.visitor, self.authenticator = add_receiver, None, None

    def caller(self, operation):
        if operation.accounts and "ADMIN" in operation.scopes and operation.accounts != ["OPERATOR"]:
            return self.admin(self.brand if operation.accounts == ["BRAND"] else self.partner)
        if operation.path.startswith("/Session") and operation.signed_in:
            self.visitor = self.visitor or self.browser(self.partner)
            return self.visitor
        if operation.path.startswith("/Advertisers"):
            return self.brand
        return self.operator if operation.path.startswith("/Operator") else self.partner

    def admin(self, account):
        """The browser of one who is ADMIN there."""
        self.admins = getattr(self, "admins", {})
        if account.sid not in self.admins:
            browser = self.admins[account.sid] = self.browser(account, "ADMIN")
            browser.user_id = self.user_ids[browser.email]
        return self.admins[account.sid]

    def people(self, account):
        """Who sees to its people, and where they are."""
        if account is self.operator:
            return self.operator, f"Accounts/{self.partner.sid}"
        return self.admin(account), account.prefix

    def invitation(self, account):
        self.orders += 1
        caller, at = self.people(account)
        return caller.ok(caller.post(f"{at}/Invitations", {
            "Email": f"i{self.orders}.{self.partner.sid.lower()}@example.com"}))

    def own_token_of(self, account):
        caller, at = self.people(account)
        return caller.ok(caller.post(f"{at}/Tokens", {"Label": "one"}))["Id"]

    def session_of(self, account):
        self.browser(self.partner if account is self.operator else account)
        caller, at = self.people(account)
        return caller.ok(caller.get(f"{at}/Sessions"))["Sessions"][0]["Id"]

    def own_session(self):
        other = Browser(self.server.base)
        self.visitor = self.visitor or self.browser(self.partner)
        other.ok(other.sign_in(self.visitor.email, "a long pass phrase"))
        listed = self.visitor.ok(self.visitor.get("/Session/Sessions"))["Sessions"]
        return next(one["Id"] for one in listed if one["Current"] == "false")

    def link(self):
        return re.sub(".*#", "", self.invitation(self.operator)["Link"])

    def notification(self, account, url=NOWHERE):
        return self.notify(account, url)["Id"]

    def visiting(self):
        self.visitor = self.visitor or self.browser(self.partner)
        return self.visitor

    def portal(self):
        return self.operator.ok(self.operator.post(f"Accounts/{self.partner.sid}/PortalSessions", {}))

    def begun(self):
        """A second factor that waits for its code."""
        made = self.visiting().ok(self.visiting().post("/Session/SecondFactor"))
        return {"body": {"Code": Authenticator(made["Secret"]).code()}}

    def enrolled(self):
        self.authenticator = self.authenticator or enrol(self.visiting())[0]
        return {"body": {"Code": self.authenticator.code()}}

    def ticket(self):
        code = self.enrolled()["body"]
        told = self.visiting().sign_in(self.visiting().email, "a long pass phrase")
        assert told.status_code == 202, told.text
        return {"body": {**code, "Ticket": told.json()["Ticket"]}}

    def revised(self, account):
        notification = self.notification(account)
        account.ok(account.put(f"EventNotifications/{notification}", {"Name": "Theirs"}))
        return {"Id": notification, "headers": {"If-Match": '"1"'}}

    @staticmethod
    def authority():
        with tempfile.TemporaryDirectory() as folder:
            return Authority(folder).pem

    def tls(self):
        """A notification with everything of its own."""
        notification = self.notification(self.brand)
        with tempfile.TemporaryDirectory() as folder:
            own = Authority(folder)
        certificate, key = own.client()
        self.operator.ok(self.operator.put(f"Notifications/{notification}/Tls", {
            "CaCertificate": own.pem, "ClientCertificate": certificate, "ClientKey": key}))
        return notification

    def declined(self):
        inquiry = self.open()
        self.brand.ok(self.brand.put("ActionInquiries", {
            "Id": inquiry, "ResolutionStatus": "DECLINED", "RejectReason": "Other"}))
        return inquiry

    def attached(self, account):
        inquiry = self.open()
        answer = account.ok(account.call("POST", f"ActionInquiries/{inquiry}/Attachments",
                                         data=files.PNG, headers={"Content-Type": "image/png"}))
        return inquiry, answer["Uri"].rsplit("/", 1)[1]

    def held(self):
        inquiry = self.open()
        self.brand.ok(self.brand.put("ActionInquiries", {
            "Id": inquiry, "ResolutionStatus": "DECLINED", "RejectReason": "Other",
            "UndoSeconds": 60}))
        return inquiry

    def action(self):
        inquiry = self.open()
        self.brand.ok(self.brand.put("ActionInquiries", {
            "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": self.tracker,
            "ItemSku1": "BT-204"}))
        return self.brand.ok(self.brand.get(f"ActionInquiries/{inquiry}"))["ActionId"]

    def terms(self, account, **fields):
        return account.ok(account.post("Terms", {
            "CampaignId": self.campaign, "ActionTrackerId": self.tracker, "PayoutPercentage": "5",
            **fields}))["Id"]

    def locked(self):
        action = self.action()
        self.brand.ok(self.brand.put("Actions", {"ActionId": action, "State": "APPROVED"}))
        return action

    def update(self, account):
        self.action()
        return account.ok(account.get("ActionUpdates"))["ActionUpdates"][0]["Id"]

    def closed(self):
        inquiry = self.open()
        self.partner.ok(self.partner.post(f"ActionInquiries/{inquiry}/Close"))
        return inquiry

    def view(self, account):
        return account.ok(account.post("Views", {
            "Page": "POSTBACKS", "Name": "Mine", "Columns": ["state"]}))["Id"]

    def waiting(self, account):
        """A postback that waits because its notification is paused."""
        notification = self.notification(account)
        account.ok(account.post(f"EventNotifications/{notification}/Pause"))
        self.open()
        return self.await_state(account, "WAITING")[0]["Id"]

    def delivered(self, account):
        self.notify(account, self.add_receiver().url())
        self.open()
        return self.await_state(account, "DELIVERED")[0]["Id"]

    def failed(self, account):
        """Its one attempt is on record."""
        self.notify(account, NOWHERE)
        self.open()
        return await_until(lambda: [one["Id"] for one in self.postbacks(account)
                                    if one["Attempts"] == "1"], "an attempt")[0]

    def notice(self, account):
        self.notify(account, self.add_receiver(answers(410)).url())
        self.open()
        return await_until(lambda: account.ok(account.get("Notices"))["Notices"],
                           "a notice")[0]["Id"]

    def replay(self, account):
        """One that runs, because its notification is paused: {Id} and {ReplayId}."""
        notification = self.notification(account)
        self.open()
        account.ok(account.post(f"EventNotifications/{notification}/Pause"))
        made = account.ok(account.post(f"EventNotifications/{notification}/Replays",
                                       {"StartDate": "2026-01-01", "From": "ALL",
                                        "Types": ["action_inquiry.opened"]}))
        return {"Id": notification, "ReplayId": made["Id"]}

    def new_job(self, account):
        """One that takes a few seconds: rows by the thousand, of which none is kept."""
        text = own_csv(self) if account is self.partner else brands_csv(self)
        header, row = text.splitlines(keepends=True)
        return account.ok(account.call(
            "POST", "ActionInquiries/Import", params={"AsJob": "true", "DryRun": "true"},
            data=header + 20000 * row, headers={"Content-Type": "text/csv"}))["Id"]

    def clean_import(self, account):
        """One that has ended and has no result."""
        text = own_csv(self) if account is self.partner else brands_csv(self)
        job = account.ok(account.call("POST", "ActionInquiries/Import", params={"AsJob": "true"},
                                      data=text, headers={"Content-Type": "text/csv"}))["Id"]
        await_until(lambda: account.ok(account.get(f"Jobs/{job}"))["Status"] == "COMPLETED",
                    "a job's end")
        return job

    def job(self, account):
        """One that has ended, with a result."""
        job = account.ok(account.post("Exports", {"Records": "POSTBACKS"}))["Id"]
        await_until(lambda: account.ok(account.get(f"Jobs/{job}"))["Status"] == "COMPLETED",
                    "a job's end")
        return job

    def rule(self, **members):
        body = {"CampaignId": self.campaign, "ActionTrackerId": self.tracker,
                "Approve": "IMMEDIATELY", "PayoutUnder": "0.01", **members}
        return self.brand.ok(self.brand.post("ApprovalRules", body))["Id"]

    def user_id(self):
        email = self.add_user(self.partner)
        return self.user_ids[email]

    def own_user(self):
        """Its id: that of the user in whose session the operator of this stage calls."""
        browser = self.browser(self.operator, "ADMIN")
        self.operator.session = browser.session
        return self.user_ids[browser.email]

    def type_name(self):
        """One that nobody has yet."""
        self.orders += 1
        return f"shop.order_{self.partner.sid.lower()}_{self.orders}"

    def event_type(self):
        name = self.type_name()
        body = copy.deepcopy(SPEC.whole["components"]["schemas"]["NewEventType"]["example"])
        self.operator.ok(self.operator.post("EventTypes", {**body, "Name": name}))
        return name

    def tracking_token(self):
        return self.operator.ok(self.operator.post(f"Campaigns/{self.campaign}/TrackingTokens", {}))

    def conversion(self, place):
        self.orders += 1
        given = {"oid": f"A-{self.orders}", "irpid": self.partner.sid}
        needs = {"CampaignId": self.campaign, "ActionTrackerId": self.tracker, place: given}
        needs.setdefault("query", {})["token"] = self.tracking_token()["Token"]
        return needs

    def no_maintenance(self):
        self.operator.post("Maintenance/End")
        await_until(lambda: self.operator.get("Maintenance").json()["State"] == "OFF", "none")
        return {}

    def maintenance(self):
        """Far ahead, so that nothing is paused."""
        self.no_maintenance()
        self.operator.ok(self.operator.post("Maintenance", {"StartDate": "2099-01-01"}))
        return {}

    def operators_notice(self):
        self.maintenance()
        return await_until(lambda: self.operator.ok(self.operator.get("Notices"))["Notices"],
                           "a notice")[0]["Id"]

    def uses_inquiry_id(self):
        """A data point that the example closes."""
        self.operator.ok(self.operator.put(f"Accounts/{self.partner.sid}/DataPoints",
                                           {"DataPoints": ["InquiryId"]}))
        return self.notify(self.partner, NOWHERE, Category="Action Lifecycle Events",
                           BodyTemplate='"{InquiryId}"')

    def support(self, account):
        return account.ok(account.post("SupportRequests", {
            "Kind": "OTHER", "Subject": "A question", "Text": "How?"}))["Id"]

    def full_support(self, account):
        request = self.support(account)
        for number in range(99):
            account.ok(account.post(f"SupportRequests/{request}/Messages", {"Text": f"{number}"}))
        return request

    def node(self):
        """The name of one: where the store is the server's own, there is none but in its table."""
        nodes = self.operator.ok(self.operator.get("Nodes"))["Nodes"]
        if nodes:
            return nodes[0]["Name"]
        with sqlite3.connect(os.path.join(self.server.data, "postbackd.db"), timeout=20) as store:
            store.execute("INSERT INTO node (number, epoch, until_at, instance, name, address, version,"
                          " since_at, heartbeat_at) VALUES (1, 1, 1, 'i', 'n', 'a', 'v', 1, 1)")
        store.close()
        return "n"

    def next_key(self):
        """None is being changed; a server whose store could be shared is given the next one."""
        await_until(lambda: self.operator.ok(self.operator.get("KeyChange"))["State"] == "NONE", "no change", 60)
        if self.server.store:  # it stays when what follows is refused
            subprocess.run([BINARY, "next-key", "--data", self.server.data], check=False, capture_output=True)
        return {}

    def own_token(self):
        """Its id: that of the token which the operator of this stage calls with."""
        made = self.operator.ok(self.operator.post(f"Accounts/{self.operator.sid}/Tokens", {}))
        self.operator.session.auth = (self.operator.sid, made["Token"])
        return made["Id"]


@pytest.fixture
def stage(server, receivers):
    return Stage(server, receivers)


def own_csv(stage):
    stage.orders += 1
    return (f"Campaign Id,Order Id,Sale Amount,Transaction Date,Type\r\n"
            f"{stage.campaign},A-{stage.orders},10.00,2026-01-15,UNTRACKED\r\n")


def brands_csv(stage):
    return f"Id,Resolution Status,Resolution Reason\r\n{stage.open()},DECLINED,Other\r\n"


# What an operation needs: {Id} and {Account} of its path, `query`, the `body`'s members in place of
# those of its example, or the `text` of a file.
NEEDS = {
    "listPartnerInquiries": lambda s: s.open() and {},
    "openInquiry": lambda s: {"body": {"CampaignId": s.campaign}},
    "getPartnerInquiry": lambda s: {"Id": s.open(CustomerId="C1", InquiryDate="2026-01-15")},
    "getPartnerInquiryHistory": lambda s: {"Id": s.declined()},
    "bulkPartnerInquiries": lambda s: {"body": {"Ids": [s.open()]}},
    "listPartnerAssignees": lambda s: s.add_user(s.partner) and {},
    "listPartnerAttachments": lambda s: {"Id": s.attached(s.partner)[0]},
    "attachAsPartner": lambda s: {"Id": s.open(), "raw": files.OF_TYPE},
    "loadPartnerAttachment": lambda s: dict(zip(("Id", "AttachmentId"), s.attached(s.partner))),
    "detachAsPartner": lambda s: dict(zip(("Id", "AttachmentId"), s.attached(s.partner))),
    "listBrandAttachments": lambda s: {"Id": s.attached(s.brand)[0]},
    "attachAsBrand": lambda s: {"Id": s.open(), "raw": files.OF_TYPE},
    "loadBrandAttachment": lambda s: dict(zip(("Id", "AttachmentId"), s.attached(s.brand))),
    "detachAsBrand": lambda s: dict(zip(("Id", "AttachmentId"), s.attached(s.brand))),
    "closeInquiry": lambda s: {"Id": s.open()},
    "commentAsPartner": lambda s: {"Id": s.open()},
    "reopenInquiry": lambda s: {"Id": s.declined()},
    "importInquiries": lambda s: {"text": own_csv(s)},
    "exportPartnerInquiries": lambda s: s.open() and {},
    "listBrandInquiries": lambda s: s.open() and {"query": {"CampaignId": s.campaign}},
    "decideInquiry": lambda s: {"body": {"Id": s.open(), "ActionTrackerId": s.tracker}},
    "getBrandInquiry": lambda s: {"Id": s.declined()},
    "bulkBrandInquiries": lambda s: {"body": {"Ids": [s.open()]}},
    "listBrandAssignees": lambda s: s.add_user(s.brand) and {},
    "getInquiryPayout": lambda s: {"Id": s.open(ExpectedPayout="4.50"), "query": {"ActionTrackerId": s.tracker}},
    "undoDecision": lambda s: {"Id": s.held()},
    "getBrandInquiryHistory": lambda s: {"Id": s.declined()},
    "commentAsBrand": lambda s: {"Id": s.open()},
    "decideInquiries": lambda s: {"text": brands_csv(s)},
    "importActionChanges": lambda s: {"text": f"Id,Amount\r\n{s.action()},50\r\n"},
    "exportBrandInquiries": lambda s: s.open() and {"query": {"CampaignId": s.campaign}},
    "sendEvents": lambda s: {"body": {"AccountSids": [s.partner.sid]}},
    "trackByAddress": lambda s: s.conversion("query"),
    "track": lambda s: s.conversion("body"),
    "getEventCatalog": lambda s: {},
    "getOperatorSeries": lambda s: {},
    "awaitOperatorChanges": lambda s: {},
    "getOperatorStatus": lambda s: {},
    "listNodes": lambda s: s.node() and {},
    "showKeyChange": lambda s: {},
    "changeKey": lambda s: s.next_key(),
    "drainNode": lambda s: {"Name": s.node()},
    "undrainNode": lambda s: {"Name": s.node()},
    "getEventType": lambda s: {"Type": "action.tracked"},
    "listCampaignPartners": lambda s: {"Id": s.campaign},
    "listApprovalRules": lambda s: s.rule(PartnerSid=s.partner.sid) and s.rule() and {},
    "addApprovalRule": lambda s: {"body": {"CampaignId": s.campaign, "ActionTrackerId": s.tracker}},
    "removeApprovalRule": lambda s: {"Id": s.rule()},
    "addBrandTerms": lambda s: {"body": {"CampaignId": s.campaign, "ActionTrackerId": s.tracker}},
    "addTerms": lambda s: {"body": {"CampaignId": s.campaign, "ActionTrackerId": s.tracker}},
    "previewBrandTerms": lambda s: {"body": {"CampaignId": s.campaign,
                                             "ActionTrackerId": s.tracker}},
    "previewTerms": lambda s: {"body": {"CampaignId": s.campaign, "ActionTrackerId": s.tracker}},
    "removeBrandTerms": lambda s: {"Id": s.terms(s.brand)},
    "removeTerms": lambda s: {"Id": s.terms(s.operator)},
    "listTerms": lambda s: s.terms(s.operator) and {},
    "changeAction": lambda s: {"body": {"ActionId": s.action()}},
    "previewActionChange": lambda s: {"body": {"ActionId": s.action()}},
    "reverseAction": lambda s: {"body": {"ActionId": s.action()}},
    "addConversion": lambda s: {"body": {
        "CampaignId": s.campaign, "EventTypeId": s.tracker, "MediaPartnerId": s.partner.id}},
    "listAccounts": lambda s: {},
    "addAccount": lambda s: {},
    "getAccount": lambda s: {"Account": s.partner.sid},
    "changeAccount": lambda s: {"Account": s.partner.sid},
    "listTokens": lambda s: {"Account": s.partner.sid},
    "addToken": lambda s: {"Account": s.partner.sid},
    "revokeToken": lambda s: {"Account": s.partner.sid, "Id": s.operator.ok(
        s.operator.post(f"Accounts/{s.partner.sid}/Tokens", {}))["Id"]},
    "listUsers": lambda s: s.user_id() and {"Account": s.partner.sid},
    "changeUser": lambda s: {"Account": s.partner.sid, "Id": s.user_id()},
    "signIn": lambda s: {"body": {"Email": s.add_user(s.partner)}},
    "getSession": lambda s: {},
    "signOut": lambda s: {},
    "changePassword": lambda s: {},
    "signInWithCode": lambda s: s.ticket(),
    "beginLook": lambda s: {"Account": s.partner.sid},
    "endLook": lambda s: {"Account": s.partner.sid, "Id": s.operator.ok(
        s.operator.post(f"Accounts/{s.partner.sid}/Looks"))["Id"]},
    "openPortal": lambda s: {"Account": s.partner.sid},
    "endPortal": lambda s: {"Account": s.partner.sid, "Id": s.portal()["Id"]},
    "enterPortal": lambda s: {"body": {"Code": s.portal()["Url"].split("#")[1]}},
    "getSecondFactor": lambda s: {},
    "beginSecondFactor": lambda s: {},
    "confirmSecondFactor": lambda s: s.begun(),
    "renewRecoveryCodes": lambda s: s.enrolled(),
    "removeSecondFactor": lambda s: s.enrolled(),
    "getSecondFactorRule": lambda s: {"Account": s.partner.sid},
    "setSecondFactorRule": lambda s: {"Account": s.partner.sid},
    "resetSecondFactor": lambda s: {"Account": s.partner.sid, "Id": s.user_id()},
    "addUser": lambda s: {"Account": s.partner.sid,
                          "body": {"Email": f"dana@{s.partner.sid}.example"}},
    "listCampaigns": lambda s: {"query": {"BrandSid": s.brand.sid}},
    "addCampaign": lambda s: {"body": {"BrandSid": s.brand.sid}},
    "getCampaign": lambda s: {"Id": s.campaign},
    "listTrackers": lambda s: {"Id": s.campaign},
    "addTracker": lambda s: {"Id": s.campaign, "body": {"Name": "Newsletter"}},
    "listMembers": lambda s: {"Id": s.campaign},
    "addMember": lambda s: {"Id": s.campaign, "body": {"PartnerSid": s.partner.sid}},
    "removeMember": lambda s: {"Id": s.campaign, "Account": s.partner.sid},
    "listTrackingTokens": lambda s: s.tracking_token() and {"Id": s.campaign},
    "addTrackingToken": lambda s: {"Id": s.campaign},
    "revokeTrackingToken": lambda s: {"Id": s.campaign, "TokenId": s.tracking_token()["Id"]},
    "listEventTypes": lambda s: s.event_type() and {},
    "addEventType": lambda s: {"body": {"Name": s.type_name()}},
    "getAddedEventType": lambda s: {"Type": s.event_type()},
    "changeEventType": lambda s: {"Type": s.event_type()},
    "deleteEventType": lambda s: {"Type": s.event_type()},
    "listNotifications": lambda s: s.notification(s.brand) and {
        "query": {"AccountSid": s.brand.sid}},
    "setHeaders": lambda s: {"Id": s.notification(s.brand)},
    "agreeToDestination": lambda s: {"Id": s.notification(s.brand)},
    "getTls": lambda s: {"Id": s.tls()},
    "setTls": lambda s: {"Id": s.notification(s.brand), "body": {"CaCertificate": s.authority()}},
    "removeTls": lambda s: {"Id": s.tls()},
    "eraseCustomer": lambda s: {"body": {"AccountSid": s.partner.sid, "CustomerId": "C-5521", "Waiting": "SEND"}},
    "listAudit": lambda s: s.open() and {"query": {"AccountSid": s.partner.sid}},
    "getPartnerCompany": lambda s: {"SID": s.partner.sid},
    "getBrandCompany": lambda s: {"SID": s.brand.sid},
    "listOperatorNotices": lambda s: s.operators_notice() and {},
    "readOperatorNotices": lambda s: s.operators_notice() and {},
    "readOperatorNotice": lambda s: {"Id": s.operators_notice()},
    "getOpenDataPoints": lambda s: s.operator.ok(s.operator.put(
        f"Accounts/{s.partner.sid}/DataPoints", {"DataPoints": ["Reopened"]})) and {
            "Account": s.partner.sid},
    "setOpenDataPoints": lambda s: {"Account": s.partner.sid},
    "listSupportRequests": lambda s: s.support(s.partner) and {},
    "getSupportRequest": lambda s: {"Id": s.support(s.partner)},
    "answerSupport": lambda s: {"Id": s.support(s.partner)},
    "startMaintenance": lambda s: s.no_maintenance(),
    "getMaintenance": lambda s: s.no_maintenance(),
    "endMaintenance": lambda s: s.maintenance(),
    "changeProfile": lambda s: {},
    "listSessions": lambda s: s.own_session() and {},
    "endOtherSessions": lambda s: {},
    "endOwnSession": lambda s: {"Id": s.own_session()},
    "forgetPassword": lambda s: {},
    "lookAtLink": lambda s: {"body": {"Link": s.link()}},
    "useLink": lambda s: {"body": {"Link": s.link()}},
    "getHealth": lambda s: {},
    "getReadiness": lambda s: {},
    "getMetrics": lambda s: {},
}
CONFLICTS = {  # what makes them answer 409
    "useLink": lambda s: {"body": {"Link": taken_link(s)}},
    "changeProfile": lambda s: {"body": {"Email": s.add_user(s.brand)}},
    "openInquiry": lambda s: s.open(OrderId="A-1001") and {"body": {"CampaignId": s.campaign}},
    "closeInquiry": lambda s: {"Id": s.closed()},
    "undoDecision": lambda s: {"Id": s.open()},
    "attachAsPartner": lambda s: {"Id": s.closed(), "raw": files.OF_TYPE},
    "attachAsBrand": lambda s: {"Id": s.closed(), "raw": files.OF_TYPE},
    "detachAsPartner": lambda s: {"Id": s.closed(), "AttachmentId": "1"},
    "detachAsBrand": lambda s: {"Id": s.closed(), "AttachmentId": "1"},
    "commentAsPartner": lambda s: {"Id": full_of_comments(s)},
    "commentAsBrand": lambda s: {"Id": full_of_comments(s)},
    "reopenInquiry": lambda s: {"Id": s.open()},
    "decideInquiry": lambda s: {"body": {"Id": s.declined(), "ActionTrackerId": s.tracker}},
    "addApprovalRule": lambda s: [s.rule() for _ in range(200)] and {
        "body": {"CampaignId": s.campaign, "ActionTrackerId": s.tracker}},
    "addBrandTerms": lambda s: s.terms(s.brand, StartDate="2026-01-01") and {
        "body": {"CampaignId": s.campaign, "ActionTrackerId": s.tracker}},
    "addTerms": lambda s: s.terms(s.operator, StartDate="2026-01-01") and {
        "body": {"CampaignId": s.campaign, "ActionTrackerId": s.tracker}},
    "changeAction": lambda s: {"body": {"ActionId": s.locked()}},
    "previewActionChange": lambda s: {"body": {"ActionId": s.locked()}},
    "reverseAction": lambda s: {"body": {"ActionId": s.locked()}},
    "changeAccount": lambda s: {"Account": s.operator.sid, "body": {"Active": False}},
    "revokeToken": lambda s: {"Account": s.operator.sid, "Id": s.own_token()},
    "addUser": lambda s: {"Account": s.partner.sid, "body": {"Email": s.add_user(s.partner)}},
    "changeUser": lambda s: {"Account": s.operator.sid, "Id": s.own_user(),
                             "body": {"Active": False}},
    "beginLook": lambda s: {"Account": s.operator.sid},
    "openPortal": lambda s: {"Account": s.operator.sid},
    "beginSecondFactor": lambda s: s.enrolled() and {},
    "confirmSecondFactor": lambda s: {},
    "renewRecoveryCodes": lambda s: {},
    "removeSecondFactor": lambda s: {},
    "addTracker": lambda s: {"Id": s.campaign, "body": {"Name": "Online sale"}},
    "addTrackingToken": lambda s: [s.tracking_token() for _ in range(100)] and {"Id": s.campaign},
    "addEventType": lambda s: {"body": {"Name": s.event_type()}},
    "changeEventType": lambda s: {"Type": "action.tracked"},
    "deleteEventType": lambda s: {"Type": "action.tracked"},
    "setHeaders": lambda s: {"Id": s.notification(s.brand), "body": {"For": ELSEWHERE}},
    "setTls": lambda s: {"Id": s.notification(s.brand), "body": {
        "CaCertificate": s.authority(), "For": ELSEWHERE}},
    "agreeToDestination": lambda s: {"Id": s.notification(s.brand), "body": {"For": ELSEWHERE}},
    "setOpenDataPoints": lambda s: s.uses_inquiry_id() and {"Account": s.partner.sid},
    "answerSupport": lambda s: {"Id": s.full_support(s.partner)},
    "startMaintenance": lambda s: s.maintenance(),
    "endMaintenance": lambda s: s.no_maintenance(),
}


def taken_link(stage):
    """An invitation of somebody who became a user meanwhile."""
    stage.orders += 1
    email = f"taken{stage.orders}.{stage.partner.sid.lower()}@example.com"
    made = stage.operator.ok(stage.operator.post(
        f"Accounts/{stage.partner.sid}/Invitations", {"Email": email}))
    stage.operator.ok(stage.operator.post(f"Accounts/{stage.partner.sid}/Users", {
        "Email": email, "Name": "First", "Password": "a long pass phrase"}))
    return re.sub(".*#", "", made["Link"])


def full_of_comments(stage):
    inquiry = stage.open()
    for number in range(200):
        stage.brand.ok(stage.brand.post(f"ActionInquiries/{inquiry}/Comments",
                                        {"Comment": f"number {number}"}))
    return inquiry


def cancelled_replay(account):
    def made(stage):
        ids = stage.replay(account(stage))
        account(stage).ok(account(stage).post(
            f"EventNotifications/{ids['Id']}/Replays/{ids['ReplayId']}/Cancel"))
        return ids
    return made


def without_its_notification(stage, account):
    postback = stage.delivered(account)
    notification = account.ok(account.get(f"Postbacks/{postback}"))["NotificationId"]
    account.ok(account.delete(f"EventNotifications/{notification}"))
    return postback


def add_both_roles():
    for role in ("Partner", "Brand"):
        def account(s, name=role.lower()):
            return getattr(s, name)

        def needs(what, account=account):
            return lambda s: {"Id": what(s, account(s))}
        for verb in ("get", "change", "delete", "pause", "resume"):
            NEEDS[f"{verb}{role}Notification"] = needs(Stage.notification)
        NEEDS[f"list{role}Notifications"] = lambda s, a=account: s.notification(a(s)) and {}
        NEEDS[f"create{role}Notification"] = lambda s: {}
        NEEDS[f"preview{role}Notification"] = lambda s: {}
        NEEDS[f"test{role}Notification"] = needs(Stage.notification)
        NEEDS[f"get{role}NotificationHealth"] = needs(Stage.notification)
        NEEDS[f"test{role}Settings"] = lambda s: {}
        NEEDS[f"list{role}Events"] = lambda s: s.open() and {}
        NEEDS[f"get{role}Counts"] = lambda s: {}
        NEEDS[f"get{role}NotificationSeries"] = needs(Stage.notification)
        NEEDS[f"get{role}Series"] = lambda s: {}
        NEEDS[f"await{role}Changes"] = lambda s: {}
        NEEDS[f"get{role}SigningSecret"] = needs(Stage.notification)
        NEEDS[f"rotate{role}SigningSecret"] = needs(Stage.notification)
        NEEDS[f"list{role}Replays"] = lambda s, a=account: {"Id": s.replay(a(s))["Id"]}
        NEEDS[f"start{role}Replay"] = needs(Stage.notification)
        NEEDS[f"get{role}Replay"] = lambda s, a=account: s.replay(a(s))
        NEEDS[f"count{role}Replay"] = needs(Stage.notification)
        NEEDS[f"undo{role}Replay"] = lambda s, a=account: s.replay(a(s))
        NEEDS[f"cancel{role}Replay"] = lambda s, a=account: s.replay(a(s))
        NEEDS[f"begin{role}Export"] = lambda s: {}
        NEEDS[f"list{role}Jobs"] = lambda s, a=account: s.job(a(s)) and {}
        NEEDS[f"get{role}Job"] = needs(Stage.job)
        NEEDS[f"download{role}Job"] = needs(Stage.job)
        NEEDS[f"cancel{role}Job"] = needs(Stage.new_job)
        NEEDS[f"list{role}Postbacks"] = lambda s, a=account: s.delivered(a(s)) and {}
        NEEDS[f"list{role}Views"] = lambda s, a=account: s.view(a(s)) and {}
        NEEDS[f"add{role}View"] = lambda s: {}
        for verb in ("get", "change", "delete"):
            NEEDS[f"{verb}{role}View"] = needs(Stage.view)
        CONFLICTS[f"add{role}View"] = lambda s, a=account: [
            s.view(a(s)) for _ in range(100)] and {}
        NEEDS[f"count{role}Postbacks"] = lambda s, a=account: s.delivered(a(s)) and {}
        NEEDS[f"change{role}Postbacks"] = lambda s, a=account: {
            "body": {"Ids": [s.waiting(a(s))]}}
        NEEDS[f"get{role}Postback"] = needs(Stage.delivered)
        NEEDS[f"retry{role}Postback"] = needs(Stage.waiting)
        NEEDS[f"resend{role}Postback"] = needs(Stage.delivered)
        NEEDS[f"cancel{role}Postback"] = needs(Stage.waiting)
        NEEDS[f"list{role}Actions"] = lambda s: s.action() and {"query": {"CampaignId": s.campaign}}
        NEEDS[f"get{role}Action"] = lambda s: {"Id": s.action()}
        NEEDS[f"sum{role}Actions"] = lambda s: s.action() and {}
        NEEDS[f"list{role}ActionItems"] = lambda s: {"Id": s.action()}
        NEEDS[f"get{role}ActionItem"] = lambda s: {"Id": s.action(), "Sku": "BT-204"}
        NEEDS[f"list{role}ActionUpdates"] = lambda s: s.action() and {}
        NEEDS[f"get{role}ActionUpdate"] = needs(Stage.update)
        NEEDS[f"list{role}Terms"] = lambda s: s.terms(s.brand, PartnerSid=s.partner.sid) and {}
        NEEDS[f"list{role}Campaigns"] = lambda s: {}
        NEEDS[f"list{role}Notices"] = lambda s, a=account: s.notice(a(s)) and {}
        NEEDS[f"read{role}Notice"] = needs(Stage.notice)
        NEEDS[f"read{role}Notices"] = lambda s, a=account: s.notice(a(s)) and {}
        NEEDS[f"get{role}Maintenance"] = lambda s: {}
        NEEDS[f"list{role}SupportRequests"] = lambda s, a=account: s.support(a(s)) and {}
        NEEDS[f"ask{role}Support"] = lambda s: {}
        NEEDS[f"get{role}SupportRequest"] = needs(Stage.support)
        NEEDS[f"write{role}SupportMessage"] = needs(Stage.support)
        CONFLICTS[f"change{role}Notification"] = lambda s, a=account: s.revised(a(s))
        CONFLICTS[f"ask{role}Support"] = lambda s, a=account: [
            s.support(a(s)) for _ in range(50)] and {}
        CONFLICTS[f"write{role}SupportMessage"] = needs(Stage.full_support)
        CONFLICTS[f"retry{role}Postback"] = needs(Stage.delivered)
        CONFLICTS[f"cancel{role}Postback"] = needs(Stage.delivered)
        CONFLICTS[f"start{role}Replay"] = lambda s, a=account: {"Id": s.replay(a(s))["Id"]}
        CONFLICTS[f"cancel{role}Replay"] = cancelled_replay(account)
        CONFLICTS[f"cancel{role}Job"] = needs(Stage.job)
        CONFLICTS[f"download{role}Job"] = needs(Stage.clean_import)
        CONFLICTS[f"resend{role}Postback"] = needs(without_its_notification)


add_both_roles()


def add_people():
    """By an account's ADMIN, and by the operator for a partner."""
    for role, name in ("Partner", "partner"), ("Brand", "brand"), ("Account", "operator"):
        def account(s, name=name):
            return getattr(s, name)

        def needs(what, account=account):
            return lambda s: {"Account": s.partner.sid, "Id": what(s, account(s))}

        def user_of(s, account):
            account = s.partner if account is s.operator else account
            email = s.add_user(account)
            return s.user_ids[email]
        NEEDS[f"link{role}Password"] = needs(user_of)
        NEEDS[f"list{role}Invitations"] = lambda s, a=account: s.invitation(a(s)) and {
            "Account": s.partner.sid}
        NEEDS[f"invite{role}User"] = lambda s: {
            "Account": s.partner.sid, "body": {"Email": f"eli@{s.partner.sid}.example"}}
        NEEDS[f"takeBack{role}Invitation"] = needs(lambda s, a: s.invitation(a)["Id"])
        NEEDS[f"resend{role}Invitation"] = needs(lambda s, a: s.invitation(a)["Id"])
        NEEDS[f"list{role}Sessions"] = lambda s, a=account: s.session_of(a(s)) and {
            "Account": s.partner.sid}
        NEEDS[f"end{role}Session"] = needs(Stage.session_of)
        CONFLICTS[f"invite{role}User"] = lambda s, a=account: {
            "Account": s.partner.sid, "body": {"Email": s.add_user(
                s.brand if a(s) is s.brand else s.partner)}}
        if role == "Account":
            continue
        NEEDS[f"get{role}SecondFactorRule"] = lambda s: {}
        NEEDS[f"set{role}SecondFactorRule"] = lambda s: {"body": {"Required": False}}
        NEEDS[f"reset{role}SecondFactor"] = needs(user_of)
        NEEDS[f"list{role}Users"] = lambda s: {}
        NEEDS[f"change{role}User"] = needs(user_of)
        NEEDS[f"list{role}Tokens"] = lambda s, a=account: s.own_token_of(a(s)) and {}
        NEEDS[f"add{role}Token"] = lambda s: {}
        NEEDS[f"revoke{role}Token"] = needs(Stage.own_token_of)
        NEEDS[f"list{role}Audit"] = lambda s, a=account: s.own_token_of(a(s)) and {}
        CONFLICTS[f"change{role}User"] = lambda s, a=account: {
            "Id": s.admin(a(s)).user_id, "body": {"Role": "USER"}}
        CONFLICTS[f"add{role}Token"] = lambda s, a=account: [
            s.token(a(s).sid, "READ") for _ in range(100)] and {}


add_people()


def as_form(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, list) else str(value)


def example(operation, content_type, needs):
    body = dict(copy.deepcopy(operation.body_schema(content_type)["example"]))
    body.update(needs.get("body", {}))
    return body


def send(operation, api, needs, content_type=None, body=None, **rest):
    """Calls it; the body is the example's unless given."""
    url = api.base + operation.fill({"SID": api.sid, **needs})
    headers = {**needs.get("headers", {}), **rest.pop("headers", {})}
    query = {**needs.get("query", {}), **rest.pop("query", {})}
    data = None
    if content_type == CSV:
        data = needs["text"] if body is None else body
    elif content_type == NDJSON:
        data = 2 * (requests.compat.json.dumps(example(operation, JSON, needs)) + "\n")
    elif content_type and "raw" in needs:
        data = needs["raw"].get(content_type, files.PNG) if body is None else body
    elif content_type:
        body = example(operation, content_type, needs) if body is None else body
        data = (requests.models.RequestEncodingMixin._encode_params(
            {name: as_form(value) for name, value in body.items()})
            if content_type == FORM else requests.compat.json.dumps(body))
    if content_type:
        headers["Content-Type"] = content_type
    return api.session.request(operation.method, url, params=query, data=data, headers=headers,
                               timeout=40, **rest)


def content_types(operation):
    return list(operation.body["content"]) if operation.body else [None]


def test_no_operation_is_left_out():
    assert set(NEEDS) == {one.id for one in OPERATIONS}
    too_many = {"createPartnerNotification", "createBrandNotification",  # 10,000 are allowed
                "beginPartnerExport", "beginBrandExport",  # test_jobs.py
                "changePartnerPostbacks", "changeBrandPostbacks", "eraseCustomer"}  # as many jobs
    elsewhere = {"changeKey"}  # test_key_change.py
    assert set(CONFLICTS) | too_many | elsewhere == {
        one.id for one in OPERATIONS if "409" in one.responses}


@each()
def test_an_operation_answers_as_the_file_says(operation, server, receivers):
    for content_type in content_types(operation):
        stage = Stage(server, receivers)
        needs = NEEDS[operation.id](stage)
        if content_type in (FORM, JSON):
            SPEC.validate(operation.body_schema(content_type),
                          example(operation, content_type, needs))
        value = operation.check(
            send(operation, stage.caller(operation), needs, content_type), operation.success)
        for name, member in value.items() if operation.method == "GET" and \
                isinstance(value, dict) else ():
            if isinstance(member, list) and name not in ("Comments", "CustomHeaders", "QueryPoints", "WaitingFor"):
                assert member, f"{name} is empty: nothing of it was checked"


@each(lambda one: one.query)
def test_each_parameter_is_taken_and_an_unknown_one_is_not(operation, stage):
    needs = NEEDS[operation.id](stage)
    api, content_type = stage.caller(operation), content_types(operation)[0]
    sids = {"BrandSid": stage.brand.sid, "PartnerSid": stage.partner.sid,
            "AccountSid": stage.partner.sid, "irpid": stage.partner.sid,
            "partner": stage.partner.sid}
    given = {one["name"]: sids.get(one["name"], one.get("example")) for one in operation.query}
    for one in operation.query:
        needs = NEEDS[operation.id](stage) if operation.method != "GET" else needs
        SPEC.validate(one["schema"], int(given[one["name"]]) if one["schema"].get("type") ==
                      "integer" else given[one["name"]])
        operation.check(send(operation, api, needs, content_type,
                             query={one["name"]: given[one["name"]]}), operation.success)
    if operation.method == "GET":
        operation.check(send(operation, api, needs, query=given), operation.success)
    refused = operation.check(send(operation, api, needs, content_type, query={"Colour": "red"}), 400)
    assert [error["Field"] for error in refused["Errors"]] == ["Colour"]


@each(lambda one: not one.query)
def test_a_parameter_where_there_are_none_is_refused(operation, stage):
    """I10: on every method, and before anything is done."""
    needs = NEEDS[operation.id](stage)
    for name in ("Colour", "Page"):
        refused = operation.check(send(operation, stage.caller(operation), needs,
                                       content_types(operation)[0], query={name: "2"}), 400)
        assert [error["Field"] for error in refused["Errors"]] == [name], refused


@each(lambda one: one.method != "GET" and one.accounts)
def test_an_idempotency_key_is_taken_where_the_file_says(operation, stage):
    """I11: the second call has the first one's answer; elsewhere the header is refused."""
    needs, api = NEEDS[operation.id](stage), stage.caller(operation)

    def call():
        return send(operation, api, needs, content_types(operation)[0],
                    headers={"Idempotency-Key": f"key-of-{operation.id}"})
    if "Idempotency-Key" not in operation.headers:
        assert "not taken" in operation.check(call(), 400)["Message"]
        return
    first = call()
    operation.check(first, operation.success)
    again = call()
    assert again.content == first.content and again.headers["Idempotency-Replayed"] == "true"


@each(lambda one: one.body and CSV not in one.body["content"])
def test_an_unknown_member_and_a_missing_one_are_named(operation, stage):
    api = stage.caller(operation)
    for content_type in set(content_types(operation)) & {FORM, JSON}:
        needs = NEEDS[operation.id](stage)
        body = {**example(operation, content_type, needs), "Colour": "red"}
        refused = operation.check(send(operation, api, needs, content_type, body), 400)
        assert "Colour" in [error["Field"] for error in refused["Errors"]]
        for name in operation.body_schema(content_type).get("required", ()):
            body = example(operation, content_type, needs)
            del body[name]
            refused = operation.check(send(operation, api, needs, content_type, body), 400)
            assert name in [error["Field"] for error in refused["Errors"]]


@each(lambda one: one.body)
def test_another_content_type_is_refused(operation, stage):
    needs = NEEDS[operation.id](stage)
    response = send(operation, stage.caller(operation), needs, content_types(operation)[0],
                    headers={})
    operation.check(response, operation.success)
    url = stage.caller(operation).base + operation.fill(
        {"SID": stage.caller(operation).sid, **needs})
    response = stage.caller(operation).session.request(
        operation.method, url, params=needs.get("query"), data=b"GIF89a",
        headers={"Content-Type": "image/gif"}, timeout=40)
    operation.check(response, 415)


@each(lambda one: one.id in CONFLICTS)
def test_what_cannot_be_done_now_is_a_conflict(operation, stage):
    needs = CONFLICTS[operation.id](stage)
    operation.check(send(operation, stage.caller(operation), needs, content_types(operation)[0]),
                    409)


@each(lambda one: set(one.path_names) - {"SID"})
def test_what_is_not_there_is_not_found(operation, stage):
    nothing = {"Id": "987654321", "Account": NOBODY, "Type": "action.invented",
               "ReplayId": "1", "AttachmentId": "1", "ActionTrackerId": "987654321", "TokenId": "987654321", "Sku": "none",
               "Name": "nobody"}
    needs = {**NEEDS[operation.id](stage), **nothing}
    operation.check(send(operation, stage.caller(operation), needs, content_types(operation)[0]),
                    404)


# ---- who may call ----

@each(lambda one: one.signed_in)
def test_nobody_is_let_in_without_signing_in(operation, stage):
    nobody = Api(stage.server.base, stage.caller(operation).sid, "")
    nobody.session.auth = None
    needs = {"Id": "1", "Account": NOBODY, "Type": "x", "ReplayId": "1", "AttachmentId": "1", "TokenId": "1",
             "Sku": "x", "Name": "x"}
    operation.check(send(operation, nobody, needs), 401)


@each(lambda one: "SID" in one.path_names)
def test_another_accounts_resources_are_not_found(operation, stage):
    needs = {**NEEDS[operation.id](stage), "SID": stage.account("PARTNER", "Another").sid}
    content_type = content_types(operation)[0]
    operation.check(send(operation, stage.caller(operation), needs, content_type), 404)


@each(lambda one: one.signed_in)
def test_other_accounts_and_scopes_are_turned_away(operation, stage):
    everybody = {"PARTNER": stage.partner, "BRAND": stage.brand, "OPERATOR": stage.operator}
    needs = {"Id": "1", "Account": NOBODY, "Type": "x", "ReplayId": "1", "AttachmentId": "1", "TokenId": "1",
             "Sku": "x", "Name": "x"}
    for kind, api in everybody.items():
        if kind not in operation.accounts:
            operation.check(send(operation, api, needs), 403)
    scopes = set(operation.scopes)
    if operation.accounts == ["OPERATOR"] and "ADMIN" in scopes:
        scopes.add("API")  # the operator's tokens make users and tokens
    for scope in {"API", "READ", "EVENTS"} - scopes:
        api = stage.caller(operation)
        operation.check(send(operation, Api(api.base, api.sid, stage.token(api.sid, scope)), needs),
                        403)


def test_the_operator_has_event_notifications_of_its_own(stage):
    for operation in OPERATIONS:
        if operation.method == "GET" and operation.path.endswith(("/EventNotifications",
                                                                  "/Postbacks")):
            operation.check(send(operation, stage.operator, {}), 200)


# ---- answers of several shapes ----

def operation_of(id):
    return next(one for one in OPERATIONS if one.id == id)


def test_attempts_that_failed_are_shown_as_the_file_says(stage):
    shown = operation_of("getPartnerPostback")
    response = send(shown, stage.partner, {"Id": stage.failed(stage.partner)})
    attempt = shown.check(response, 200)["AttemptList"][0]
    assert (attempt["Error"], attempt["Response"]["Status"]) == ("connect", "")


def test_a_test_postback_is_shown_with_and_without_an_answer(stage, receivers):
    tested = operation_of("testBrandNotification")
    for url, verdict in ((NOWHERE, "destination"), (receivers().url(), "delivered"),
                         (receivers(answers(410)).url(), "gone"),
                         (receivers(answers(500)).url(), "failed")):
        needs = {"Id": stage.notification(stage.brand, url)}
        value = tested.check(send(tested, stage.brand, needs, JSON), 200)
        assert value["Verdict"] == verdict


def test_an_import_tells_of_its_rows_or_of_its_file(stage):
    imported = operation_of("importInquiries")
    bad_row = own_csv(stage).replace("UNTRACKED", "LOST")
    told = imported.check(send(imported, stage.partner, {"text": bad_row}, CSV), 400)
    assert told["BadRows"] == "1"
    told = imported.check(send(imported, stage.partner, {"text": "Colour\r\nred\r\n"}, CSV), 400)
    assert "Colour" in told["Message"]
    twice = own_csv(stage)
    imported.check(send(imported, stage.partner, {"text": twice}, CSV), 200)
    told = imported.check(send(imported, stage.partner, {"text": twice}, CSV), 400)
    assert told["Errors"][0]["Uri"].startswith(stage.partner.prefix)


def test_a_batch_of_events_is_taken_and_each_bad_one_named(stage):
    sent = operation_of("sendEvents")
    event = example(sent, JSON, NEEDS["sendEvents"](stage))
    batch = {"Events": [event, {**event, "DedupeKey": "k1"}, {**event, "DedupeKey": "k1"}]}
    SPEC.validate(sent.body["content"][JSON]["schema"], batch)
    ids = sent.check(send(sent, stage.partner, {}, JSON, batch), 202)["EventIds"]
    assert len(ids) == 3 and ids[1] == ids[2]
    batch["Events"][1] = {**event, "Type": "action.invented"}
    told = sent.check(send(sent, stage.partner, {}, JSON, batch), 400)
    assert [error["Field"] for error in told["Errors"]] == ["Events[1].Type"]


def test_an_inquiry_with_everything_in_it(stage):
    inquiry = stage.open(MediaPartnerInquiryId="M1", Currency="JPY", TransactionAmount=5000,
                         ExpectedPayout="70", ResolutionDeadlineDate="2026-02-01",
                         TrackingLink="https://acme.example/c", CustomerId="C1",
                         InquiryDate="2026-01-16", InquiryNotes="two\nlines")
    stage.brand.ok(stage.brand.post(f"ActionInquiries/{inquiry}/Comments", {"Comment": "Seen"}))
    stage.brand.ok(stage.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": stage.tracker,
        "PromoCode": "TRAIL10", "ResolutionNotes": "Found"}))
    stage.partner.ok(stage.partner.post(f"ActionInquiries/{inquiry}/Close"))
    for id, api in (("getPartnerInquiry", stage.partner), ("getBrandInquiry", stage.brand)):
        shown = operation_of(id)
        value = shown.check(send(shown, api, {"Id": inquiry}), 200)
        assert value["ActionId"]
        assert [one["Comment"] for one in value["Comments"]] == ["two\nlines", "Seen"]
        assert {name for name, member in value.items() if member == ""} - {
            "AssigneeId", "Assignee", "HeldStatus", "HeldUntilDate"} == {
                "AutoApprovalDate", "RejectReason"}


def test_custom_headers_are_shown_as_hidden(stage):
    notification = stage.notification(stage.brand)
    put = operation_of("setHeaders")
    put.check(send(put, stage.operator, {"Id": notification}, JSON), 200)
    shown = operation_of("getBrandNotification")
    value = shown.check(send(shown, stage.brand, {"Id": notification}), 200)
    assert value["CustomHeaders"] == [{"Name": "X-Api-Key", "Value": "(hidden)"}]
    changed = operation_of("changeBrandNotification")
    changed.check(send(changed, stage.brand, {"Id": notification}, JSON, value), 200)


def test_refusals_of_no_operation_have_the_same_shape(stage):
    operation = operation_of("getEventCatalog")
    api = stage.partner
    for method, path, status in (("GET", "/Nowhere", 404), ("DELETE", "/EventCatalog", 405),
                                 ("GET", "/EventCatalog?A=1&A=2", 400)):
        response = api.session.request(method, api.base + path, timeout=20)
        assert response.status_code == status
        SPEC.validate({"$ref": "#/components/schemas/Error"}, response.json())
        assert ("Allow" in response.headers) == (status == 405)
    assert operation.check(api.get("/EventCatalog"), 200)
    assert api.session.head(api.base + "/EventCatalog", timeout=20).status_code == 200
