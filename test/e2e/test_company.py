"""GET …/CompanyInformation: by which clients of impact.com see whether they are let in."""

import requests



def test_an_account_sees_itself(world):
    """C3: both roles, in the published words."""
    for account, name, kind in ((world.partner, "Cashback Corner", "PARTNER"),
                                (world.brand, "Acme Shoes", "BRAND")):
        company = account.ok(account.get("CompanyInformation"))
        assert (company["CompanyName"], company["Kind"]) == (name, kind)
        assert (company["AccountSid"], company["Timezone"], company["Currency"]) == (account.sid, "UTC", "EUR")
        assert company["Uri"] == f"{account.prefix}/CompanyInformation"
        assert company["CommercialContact"] == {"Email": ""}
        assert account.ok(account.get(company["Uri"])) == company


def test_what_changes_is_seen(world):
    """C3: name, mail address, and a second currency, which leaves none to name."""
    world.operator.ok(world.operator.put(f"Accounts/{world.brand.sid}", {
        "Name": "Ünder & Co", "Email": "desk@example.com"}))
    world.add_campaign(world.brand, "In pounds", "GBP")
    company = world.brand.ok(world.brand.get("CompanyInformation"))
    assert (company["CompanyName"], company["Currency"]) == ("Ünder & Co", "")
    assert company["CommercialContact"]["Email"] == "desk@example.com"
    alone = world.account("PARTNER", "Nowhere yet")
    assert alone.ok(alone.get("CompanyInformation"))["Currency"] == ""


def test_it_is_nobody_elses(world):
    """C3: another account's is nowhere, and a wrong token sees none."""
    stranger = world.account("PARTNER", "Stranger")
    whole = f"/Mediapartners/{world.partner.sid}/CompanyInformation"
    nowhere = "/Mediapartners/PA" + "0" * 22 + "/CompanyInformation"
    seen, none = stranger.get(whole), stranger.get(nowhere)
    assert seen.status_code == none.status_code >= 400 and seen.json() == none.json()
    assert world.brand.get(f"/Mediapartners/{world.brand.sid}/CompanyInformation").status_code == 403
    assert requests.get(world.server.base + whole, auth=(world.partner.sid, "pbt_no"), timeout=20).status_code == 401
    assert stranger.get("CompanyInformation", Foo="1").status_code == 400
