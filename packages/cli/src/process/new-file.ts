import { AppError } from "@tutti/kernel";

/** Why a file that must not be there yet could not be written: `file-exists` or `file-unwritable`. */
export function unwritten(path: string, cause: unknown): AppError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "EEXIST") return new AppError("file-exists", `Expected no file ${path}, but there is one`);
  return new AppError("file-unwritable", `Expected to write ${path}, but ${message}`, { cause });
}
