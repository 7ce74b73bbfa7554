import type * as flagship from "@tutti/feature";
import type * as wire from "@tutti/protocol";
import { expectTypeOf, test } from "vitest";

test("[C53] the view that the flagship makes of a run is the one that is sent, to the last field", () => {
  expectTypeOf<flagship.RunView>().toEqualTypeOf<wire.RunViewMessage>();
  expectTypeOf<flagship.UnitView>().toEqualTypeOf<wire.UnitView>();
  expectTypeOf<flagship.UnitStatus>().toEqualTypeOf<wire.UnitStatus>();
  expectTypeOf<flagship.RunNeed>().toEqualTypeOf<wire.RunNeed>();
  expectTypeOf<flagship.RunResolution>().toEqualTypeOf<wire.RunResolution>();
});
