import { AppError, type FailureInfo } from "@tutti/kernel";

const refusals: ReadonlySet<string> = new Set(["form-misfit", "limit-invalid", "payload-invalid"]);

/** Why a command is refused before its instance is asked; null: it is not. What else goes wrong is thrown. */
export async function refusedAtDoor(check: () => Promise<unknown>): Promise<FailureInfo | null> {
  try {
    await check();
    return null;
  } catch (error) {
    if (error instanceof AppError && refusals.has(error.code)) return { code: error.code, message: error.message };
    throw error;
  }
}
