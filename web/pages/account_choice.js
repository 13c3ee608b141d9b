/* account_choice.js — accounts to choose from in the operator's forms: searched by name or SID, not all loaded. */
import { get } from "../api.js";

const SHOWN = 20;

/* A field of kind "choice": accounts of that kind ("BRAND", "PARTNER"), without those of `but` (SIDs). */
export const accountField = (name, label, Kind, { but = new Set(), ...more } = {}) => ({
  name, label, kind: "choice", placeholder: "Name or SID", ...more,
  find: async (Search, signal) => (await get("/Operator/Accounts", { Kind, Search, PageSize: SHOWN + but.size }, { signal })).Accounts
    .filter((one) => !but.has(one.Sid)).slice(0, SHOWN).map((one) => [one.Sid, one.Name, one.Sid]),
});
