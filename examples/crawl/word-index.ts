/** How often a word was read, and on how many pages. */
export interface Frequency {
  readonly word: string;
  times: number;
  pages: number;
}

/** Words that say nothing of what a page is about. */
const COMMON = new Set(
  `about above after again against all also among and any are because been before being below between both but can cannot could did does doing
  down during each few for from further had has have having here how into its itself just more most not now off once only other our out over own
  same she should some such than that the their them then there these they this those through too under until very was were what when where
  which while who whom why will with would you your`.split(/\s+/),
);

const ADDRESS = /\w+:\/\/\S+|\w+@\S+/g;
const WORD = /\p{L}[\p{L}\p{M}\p{N}]{2,29}/gu;

/** Later words of a web that is all too large are not added, those that are known are still counted. */
const MOST_WORDS = 200_000;

/** The words of all pages. Addresses, numbers and words of one or two letters do not count. */
export class WordIndex {
  readonly #words = new Map<string, Frequency>();

  get size(): number {
    return this.#words.size;
  }

  /** Adds the text of one page. */
  add(text: string): void {
    const onThisPage = new Set<string>();
    for (const [match] of text.replace(ADDRESS, " ").matchAll(WORD)) {
      const word = match.toLowerCase();
      if (COMMON.has(word)) continue;
      const frequency = this.#find(word);
      if (frequency === undefined) continue;
      frequency.times++;
      if (!onThisPage.has(word)) frequency.pages++;
      onThisPage.add(word);
    }
  }

  #find(word: string): Frequency | undefined {
    let frequency = this.#words.get(word);
    if (frequency === undefined && this.size < MOST_WORDS) {
      frequency = { word, times: 0, pages: 0 };
      this.#words.set(word, frequency);
    }
    return frequency;
  }

  /** The most frequent words, and of those that are equally frequent the first in the alphabet. */
  top(count: number): Frequency[] {
    const byFrequency = (a: Frequency, b: Frequency) => b.times - a.times || (a.word < b.word ? -1 : 1);
    return [...this.#words.values()].sort(byFrequency).slice(0, count);
  }
}
