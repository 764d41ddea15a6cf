// What every suite needs, by one name: a real server, a browser made of forms and cookies, a receiver of logout tokens.

export { Browser } from './kit/browser.mjs';
export { startReceiver } from './kit/receiver.mjs';
export { startVestibule } from './kit/vestibule.mjs';
export { eventually, freePort, randomName } from './kit/wait.mjs';
export { application, signIn, user } from './kit/people.mjs';
