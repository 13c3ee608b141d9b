// Asks the published Standard Webhooks library about requests as they were received.
// stdin: [{"secret": …, "headers": {…}, "body": …, "parse": …}, …]; stdout: ["accepted" or the reason, …].
const { Webhook } = require("standardwebhooks");

let input = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (piece) => (input += piece));
process.stdin.on("end", () => {
  const verdicts = JSON.parse(input).map(({ secret, headers, body, parse }) => {
    try {
      new Webhook(secret).verify(body, headers, { jsonParse: parse });
      return "accepted";
    } catch (error) {
      return error.message;
    }
  });
  process.stdout.write(JSON.stringify(verdicts));
});
