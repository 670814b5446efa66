import { type ApiMessage } from "./errors";
import { type Answer } from "./router";

function numberOf(query: URLSearchParams, key: string, fallback: number): number {
  const value = Number(query.get(key) ?? fallback);
  return Number.isInteger(value) && value > 0 ? value : fallback;
}

/** What goes out for an answer; of a list, the page that was asked for (counted from 1). */
export function success(answer: Answer, query: URLSearchParams): Record<string, unknown> {
  const envelope = { success: true, errors: [], messages: [] };
  if (!("list" in answer)) return { ...envelope, result: answer.result };
  const page = numberOf(query, "page", 1);
  const perPage = numberOf(query, "per_page", answer.perPage);
  const total = answer.list.length;
  const result = answer.list.slice((page - 1) * perPage, page * perPage);
  return {
    ...envelope,
    result,
    result_info: {
      page,
      per_page: perPage,
      count: result.length,
      total_count: total,
      total_pages: Math.ceil(total / perPage),
    },
  };
}

export function failure(errors: readonly ApiMessage[]): Record<string, unknown> {
  return { success: false, errors, messages: [], result: null };
}
