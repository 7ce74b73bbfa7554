import type { IncidentKind } from "../event.ts";

/** What a person can do about an incident before retrying it, and what a retry then does. */
export const incidentAdvice: { readonly [K in IncidentKind]: string } = {
  activation: "Set or correct the variables that it needs; a retry starts the element again.",
  job: "Repair what the worker met; a retry offers the job with fresh attempts.",
  completion: "Its result is kept: set or correct what its outputs need; a retry writes them again.",
  flow: "Set what the condition needs, or bring a token where one is missing; a retry looks at the join again.",
  route: "Set or correct the variables that the conditions read; a retry chooses again.",
  timer: "Set or correct what its time is computed from; a retry computes it again, and the element goes on meanwhile.",
  trigger: "Set or correct what the event needs; a retry works out again what it waits for.",
  call: "Set or correct the inputs of the call; a retry starts the process anew.",
  error: "Nothing catches this error: repair its cause; a retry does the work again.",
  collection: "Set or correct what the condition or the output of the collection needs; a retry evaluates it again.",
  loop: "Set or correct what the condition of the loop needs; a retry evaluates it again.",
  choice: "Set or correct what the completion condition needs, or answer the choice anew; a retry asks again.",
  endless:
    "Correct what its conditions read, or modify or migrate the instance, so that it comes to wait for something; a retry lets it go on for as long again.",
  "items-failed": "Repair what the items met and retry them, all or some; or accept that they are left out.",
};
