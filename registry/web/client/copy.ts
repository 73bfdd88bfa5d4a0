// SPDX-License-Identifier: Apache-2.0

const SHOWN_MS = 1_600;

/** Puts the text of a button into the clipboard, and says so. */
export async function copyFrom(button: HTMLButtonElement): Promise<void> {
  const label = button.getAttribute('aria-label') ?? '';
  const done = await write(button.dataset.copy ?? '');
  button.classList.add(done ? 'done' : 'failed');
  button.setAttribute('aria-label', done ? 'Copied' : 'Could not be copied');
  announce(done ? 'Copied' : 'Could not be copied');
  setTimeout(() => {
    button.classList.remove('done', 'failed');
    button.setAttribute('aria-label', label);
  }, SHOWN_MS);
}

/** Browsers give the clipboard to pages of secure origins only; others have the old way. */
async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'hidden';
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

/** Says a text to those who do not see the page. */
export function announce(text: string): void {
  let place = document.querySelector<HTMLElement>('#announcements');
  if (place === null) {
    place = document.createElement('div');
    place.id = 'announcements';
    place.className = 'hidden';
    place.setAttribute('role', 'status');
    document.querySelector('main')?.append(place);
  }
  place.textContent = text;
}
