// What every page runs. One file, one behaviour; elements wire themselves when they appear in the page.
// Import lines end in a semicolon: the static storage finds them by it to write hashed names in.
import "./session.js";
import "./elements/action-menu.js";
import "./elements/announce-region.js";
import "./elements/command-key.js";
import "./elements/command-palette.js";
import "./elements/composer-box.js";
import "./elements/desk-keys.js";
import "./elements/draft-saver.js";
import "./elements/email-frame.js";
import "./elements/file-viewer.js";
import "./elements/key-preference.js";
import "./elements/list-keys.js";
import "./elements/live-times.js";
import "./elements/next-ticket.js";
import "./elements/page-pulse.js";
import "./elements/progress-bar.js";
import "./elements/rich-editor.js";
import "./elements/scroll-end.js";
import "./elements/theme-switch.js";
import "./elements/ticket-trail.js";
import "./elements/toast-region.js";
import "./elements/tool-bar.js";
import "./elements/workspace-panes.js";
