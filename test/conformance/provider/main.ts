import { serve } from "./server";

serve(process.env["CONF_CLOUD"] ?? "conf-cloud");
