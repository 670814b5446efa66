import { serve } from "../kit";
import { tailscale } from "./provider";

void serve(tailscale);
