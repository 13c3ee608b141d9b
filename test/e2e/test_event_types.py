"""Event types that the operator adds at run time: in the catalog, in notifications, in events."""

import json

import pytest

from harness.server import Server, World, await_until

number = 0


def fresh(stem="shop.order_shipped"):
    """A name that no other test of the module uses."""
    global number
    number += 1
    return f"{stem}_{number}"


def definition(name, **changes):
    return {"Name": name, "Meaning": "An order left the house", "DataPoints": [
        {"Name": "OrderId", "Type": "text", "Meaning": "The order", "Sample": "ORD-20417"},
        {"Name": "Weight", "Type": "integer", "Meaning": "In grams", "Sample": "1200"},
        {"Name": "Boxes", "Type": "list", "Meaning": "What was sent", "Sample": [{"Size": "L"}]}],
        **changes}


def add(world, name, **changes):
    return world.operator.ok(world.operator.post("EventTypes", definition(name, **changes)))


def event(world, name, **data):
    return {"Type": name, "AccountSids": [world.partner.sid], "Data": data}


def fields_of(response):
    assert response.status_code == 400, response.text
    return [error["Field"] for error in response.json()["Errors"]]


def test_an_added_type_goes_the_whole_way(world, receiver):
    name = fresh()
    assert add(world, name)["Uri"] == f"/Operator/EventTypes/{name}"
    catalog = world.partner.ok(world.partner.get(f"/EventCatalog/{name}"))
    assert catalog["Category"] == "Platform Events"
    points = {point["Name"]: point for point in catalog["DataPoints"]}
    assert points["Weight"]["Type"] == "integer" and points["Weight"]["Sample"] == "1200"
    assert points["Boxes"]["Sample"] == '[{"Size":"L"}]' and "EventId" in points
    whole = world.partner.ok(world.partner.get("/EventCatalog"))["Categories"]
    platform = next(one for one in whole if one["Name"] == "Platform Events")
    assert name in [one["EventType"] for one in platform["EventTypes"]]

    made = world.notify(
        world.partner, receiver.url("/{OrderId}?w={Weight}"), Category="Platform Events",
        EventTypes=[name], BodyTemplate='{"order":"{OrderId}","boxes":{Boxes},"type":"{EventType}"}')
    tried = world.partner.ok(world.partner.post(f"EventNotifications/{made['Id']}/Test", {}))
    assert tried["Verdict"] == "delivered"
    assert receiver.wait(1)[0].target == "/ORD-20417?w=1200"
    sent = world.operator.post("/Events", event(world, name, OrderId="A/7", Weight=350,
                                                Boxes=[{"Size": "M"}, {"Size": "S"}]))
    assert sent.status_code == 202, sent.text
    request = receiver.wait(2)[1]
    assert request.target == "/A%2F7?w=350"
    assert json.loads(request.body) == {"order": "A/7", "type": name,
                                        "boxes": [{"Size": "M"}, {"Size": "S"}]}
    rows = await_until(lambda: world.postbacks(world.partner, EventType=name), "it is in the log")
    assert [row["EventType"] for row in rows] == [name]


def test_data_is_checked_against_the_definition(world):
    name = fresh()
    add(world, name)
    response = world.partner.post("/Events", event(world, name, Weight="heavy", Colour="red"))
    assert sorted(fields_of(response)) == ["Data.Colour", "Data.Weight"]
    template = {"Category": "Platform Events", "EventTypes": [name], "Method": "POST",
                "Url": "http://127.0.0.1/{Wieght}"}
    response = world.partner.post("EventNotifications", template)
    assert "Url" in fields_of(response) and "Weight" in response.text


def test_platform_events_are_on_when_no_type_is_named(world, receiver):
    name = fresh()
    add(world, name)
    made = world.notify(world.partner, receiver.url(), Category="Platform Events")
    shown = world.partner.ok(world.partner.get(f"EventNotifications/{made['Id']}"))
    assert name in shown["EventTypes"]


def test_a_type_of_a_built_in_category_is_off_until_ticked(world, receiver):
    name = fresh("shop.inquiry_seen")
    add(world, name, Category="Action Inquiry Events")
    made = world.notify(world.partner, receiver.url())
    shown = world.partner.ok(world.partner.get(f"EventNotifications/{made['Id']}"))
    assert name not in shown["EventTypes"]
    world.partner.ok(world.partner.put(f"EventNotifications/{made['Id']}", {"EventTypes": [name]}))
    assert world.operator.post("/Events", event(world, name, OrderId="1")).status_code == 202
    assert json.loads(receiver.wait(1)[0].body)["EventType"] == name


def test_a_change_adds_and_rewords_and_takes_nothing_away(world, receiver):
    name = fresh()
    add(world, name)
    made = world.notify(world.partner, receiver.url("/{OrderId}"), Category="Platform Events",
                        EventTypes=[name])
    grown = definition(name, Meaning="It is on its way")
    grown["DataPoints"].insert(0, {"Name": "Carrier", "Type": "text", "Meaning": "Who brings it",
                                   "Sample": "Kiwi Post"})
    world.operator.ok(world.operator.put(f"EventTypes/{name}", grown))
    assert world.partner.get(f"/EventCatalog/{name}").json()["Meaning"] == "It is on its way"
    sent = world.partner.post("/Events", event(world, name, OrderId="7", Carrier="Kiwi Post"))
    assert sent.status_code == 202, sent.text
    body = json.loads(receiver.wait(1)[0].body)
    assert body["Carrier"] == "Kiwi Post" and body["OrderId"] == "7"

    for change in [{"DataPoints": grown["DataPoints"][1:]}, {"Name": "shop.other"},
                   {"Category": "System Events"}]:
        assert world.operator.put(f"EventTypes/{name}", {**grown, **change}).status_code == 400
    grown["DataPoints"][1]["Type"] = "integer"
    grown["DataPoints"][1]["Sample"] = "5"
    assert fields_of(world.operator.put(f"EventTypes/{name}", grown)) == ["DataPoints"]
    world.partner.ok(world.partner.put(f"EventNotifications/{made['Id']}",
                                       {"Url": receiver.url("/{Carrier}")}))


def test_a_deleted_type_takes_no_events_and_old_ones_stay(world, receiver):
    name = fresh()
    add(world, name)
    made = world.notify(world.partner, receiver.url("/{OrderId}"), Category="Platform Events",
                        EventTypes=[name])
    path = f"EventNotifications/{made['Id']}"
    world.partner.ok(world.partner.post(path + "/Pause"))
    assert world.partner.post("/Events", event(world, name, OrderId="7")).status_code == 202
    world.operator.ok(world.operator.delete(f"EventTypes/{name}"))
    assert fields_of(world.partner.post("/Events", event(world, name, OrderId="8"))) == ["Type"]
    assert world.partner.get(f"/EventCatalog/{name}").status_code == 404
    assert name not in world.partner.get("/EventCatalog").text
    assert world.operator.delete(f"EventTypes/{name}").status_code == 404
    assert world.operator.put(f"EventTypes/{name}", definition(name)).status_code == 404
    assert world.operator.get(f"EventTypes/{name}").json()["DeletedDate"] != ""

    # What came before goes out, and what it is about can still be read and changed.
    world.partner.ok(world.partner.post(path + "/Resume"))
    assert receiver.wait(1)[0].target == "/7"
    row = await_until(lambda: world.postbacks(world.partner, State="DELIVERED"), "delivered")[0]
    assert row["EventType"] == name
    world.partner.ok(world.partner.put(path, {"Url": receiver.url("/new"), "EventTypes": [name]}))
    response = world.partner.post("EventNotifications", {
        "Category": "Platform Events", "EventTypes": [name], "Method": "POST",
        "Url": receiver.url()})
    assert fields_of(response) == ["EventTypes"]

    add(world, name)  # the same type, back
    assert world.partner.post("/Events", event(world, name, OrderId="9")).status_code == 202
    assert receiver.wait(2)[1].target == "/new"


def test_types_survive_a_kill(receiver):
    with Server() as server:
        world = World(server)
        add(world, "shop.sent")
        add(world, "shop.lost")
        world.operator.ok(world.operator.delete("EventTypes/shop.lost"))
        made = world.notify(world.partner, receiver.url("/{OrderId}"), Category="Platform Events",
                            EventTypes=["shop.sent"])
        world.partner.ok(world.partner.post(f"EventNotifications/{made['Id']}/Pause"))
        assert world.partner.post("/Events", event(world, "shop.sent", OrderId="7")).status_code == 202
        server.kill()
        server.start()
        world.moved()
        types = world.operator.ok(world.operator.get("EventTypes"))["EventTypes"]
        assert [(one["Name"], one["Id"], one["DeletedDate"] != "") for one in types] == [
            ("shop.sent", "1000", False), ("shop.lost", "1001", True)]
        world.partner.ok(world.partner.post(f"EventNotifications/{made['Id']}/Resume"))
        assert receiver.wait(1)[0].target == "/7"
        add(world, "shop.third")
        assert world.operator.get("EventTypes/shop.third").json()["Id"] == "1002"


@pytest.mark.parametrize("change, field", [
    ({"Name": "action.shipped"}, "Name"),
    ({"Name": "Shop Sent"}, "Name"),
    ({"Name": None}, "Name"),
    ({"Meaning": ""}, "Meaning"),
    ({"Category": "Weather"}, "Category"),
    ({"DataPoints": {}}, "DataPoints"),
    ({"DataPoints": [{"Name": "EventId", "Type": "text", "Meaning": "m", "Sample": "s"}]},
     "DataPoints[0].Name"),
    ({"DataPoints": [{"Name": "Nr", "Type": "integer", "Meaning": "m", "Sample": "s"}]},
     "DataPoints[0].Sample"),
    ({"Number": 5}, "Number"),
])
def test_wrong_definitions_are_refused(world, change, field):
    response = world.operator.post("EventTypes", {**definition(fresh()), **change})
    assert field in fields_of(response)


def test_names_are_taken_once_and_built_in_types_are_not_the_operators(world):
    name = fresh()
    add(world, name)
    assert world.operator.post("EventTypes", definition(name)).status_code == 409
    assert world.operator.put("EventTypes/action.tracked", definition(name)).status_code == 409
    assert world.operator.delete("EventTypes/action.tracked").status_code == 409
    assert world.operator.get("EventTypes/action.tracked").status_code == 404
    assert world.operator.get("EventTypes/no.such").status_code == 404
    assert world.partner.post("/Operator/EventTypes", definition(fresh())).status_code == 403


def test_every_change_is_in_the_audit_log(world):
    name = fresh()
    add(world, name)
    world.operator.ok(world.operator.put(f"EventTypes/{name}", definition(name)))
    world.operator.ok(world.operator.delete(f"EventTypes/{name}"))
    rows = world.operator.ok(world.operator.get("Audit"))["Entries"]
    mine = [row["Action"] for row in rows if row["Object"] == f"/Operator/EventTypes/{name}"]
    assert mine == ["event_type.delete", "event_type.change", "event_type.add"]
