/** The page that a link points to, without the place in it; `undefined` for what is no address of a web page. */
export function pageUrl(link: string, base?: URL): URL | undefined {
  if (!URL.canParse(link, base?.href)) return undefined;
  const url = new URL(link, base);
  url.hash = "";
  return url.protocol === "http:" || url.protocol === "https:" ? url : undefined;
}
