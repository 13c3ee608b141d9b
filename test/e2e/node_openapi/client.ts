// A partner's program on the client that a generator made of doc/openapi.yaml.  The compiler checks
// its types; the base address, SID, token and campaign are its arguments.
import { client } from "./made/client.gen";
import { getPartnerInquiry, listPartnerNotifications, openInquiry } from "./made";

declare const process: { argv: string[]; exit(code: number): never };

async function main([baseUrl, SID, token, CampaignId]: string[]) {
  client.setConfig({ baseUrl, auth: `${SID}:${token}`, throwOnError: true });
  const opened = await openInquiry({
    path: { SID },
    body: {
      CampaignId, OrderId: "A-2001", TransactionDate: "2026-01-15", TransactionAmount: "89.90",
      InquiryType: "UNTRACKED",
    },
  });
  const id = opened.data!.Uri.split("/").pop()!;
  const inquiry = await getPartnerInquiry({ path: { SID, Id: id } });
  const page = await listPartnerNotifications({ path: { SID }, query: { PageSize: 10 } });
  const refused = await openInquiry({
    path: { SID },
    body: { CampaignId, OrderId: "", TransactionDate: "", TransactionAmount: "", InquiryType: "DECLINED" },
    throwOnError: false,
  });
  const names = page.data!.EventNotifications.map((one) => ("Name" in one ? one.Name : "damaged"));
  const fields = refused.error!.Errors.map((one) => one.Field);
  console.log(JSON.stringify({ order: inquiry.data!.OrderId, total: page.data!["@total"], names, fields }));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
