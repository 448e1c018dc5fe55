/** Has the first of its items at hand, in any order of them; adding, moving and deleting one costs a logarithm. */
export class IndexedHeap<Item extends object> {
  readonly #compare: (one: Item, other: Item) => number;
  readonly #items: Item[] = [];
  readonly #places = new Map<Item, number>();

  /** As for a sort: below 0 when `one` goes before `other`. */
  constructor(compare: (one: Item, other: Item) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  first(): Item | undefined {
    return this.#items[0];
  }

  /** What would be first without the first. */
  second(): Item | undefined {
    const [, left, right] = this.#items;
    if (left === undefined || right === undefined) return left;
    return this.#compare(left, right) <= 0 ? left : right;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** To be told when something changed by which the item is ordered. */
  moved(item: Item): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.#rise(item, place);
    this.#sink(item, this.#places.get(item) ?? place);
  }

  delete(item: Item): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.#places.delete(item);
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#put(last, place);
    this.moved(last);
  }

  clear(): void {
    this.#items.length = 0;
    this.#places.clear();
  }

  #rise(item: Item, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#items[above];
      if (parent === undefined || this.#compare(parent, item) <= 0) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(item, place);
  }

  #sink(item: Item, from: number): void {
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      let child = this.#items[below];
      const right = this.#items[below + 1];
      if (child === undefined) break;
      if (right !== undefined && this.#compare(right, child) < 0) {
        child = right;
        below += 1;
      }
      if (this.#compare(item, child) <= 0) break;
      this.#put(child, place);
      place = below;
    }
    this.#put(item, place);
  }

  #put(item: Item, place: number): void {
    this.#items[place] = item;
    this.#places.set(item, place);
  }
}
