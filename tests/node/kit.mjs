// What every suite needs, by one name: a real server, a browser made of forms and cookies, a receiver of logout tokens.

export { apacheSettings, startApache } from './kit/apache.mjs';
export { Browser } from './kit/browser.mjs';
export { startChromium } from './kit/chromium.mjs';
export { testEachEnd } from './kit/ends.mjs';
export { startProvider } from './kit/provider.mjs';
export { startReceiver } from './kit/receiver.mjs';
export { startVestibule } from './kit/vestibule.mjs';
export { eventually, freePort, randomName } from './kit/wait.mjs';
export { application, signIn, user } from './kit/people.mjs';
