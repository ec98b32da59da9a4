interface Page<T> {
  total: number;
  items: readonly T[];
}

/** All items of a list that the server cuts into pages. */
export async function every<T>(pageAt: (offset: number) => Promise<Page<T>>): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const { total, items } = await pageAt(found.length);
    found.push(...items);
    if (items.length === 0 || found.length >= total) return found;
  }
}
