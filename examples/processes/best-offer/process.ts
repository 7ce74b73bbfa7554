// A process of the TypeScript builder: ask several suppliers at once, take the best offer, have a person sign.
// Whoever tries a module takes its default export.
import { process } from "@tutti/definition";

export default process("best_offer", { version: "1.0", name: "Best offer" })
  .variables({
    suppliers: { type: "list", required: true },
    offers: "list",
    best: "number",
    signed: "boolean",
  })
  .outputs("best", "signed")
  .service("ask", {
    job: "supplier.ask",
    in: { supplier: "= supplier" },
    out: ["price"],
    forEach: { collection: "= suppliers", item: "supplier", onFailure: "continue", output: { offers: "= price" } },
  })
  .service("compare", { job: "offers.compare", in: { offers: "= offers" }, out: ["best"] })
  .user(
    "sign",
    { title: "Sign for ${best}?", assignee: "buyer", due: "2d" },
    { in: ["best"], out: { signed: "= signed" } },
  )
  .onTimer({ after: "3d" }, "lapsed")
  .end()
  .throw("lapsed", { code: "offer-lapsed", message: "Nobody signed in time" });
